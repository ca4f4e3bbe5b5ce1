"""Pictures and what they show: the digits that ship with the package, and files that others have made.  Read examples,
distort, idx, cifar."""
