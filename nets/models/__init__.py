"""Networks that have a name.  Read lecture, lenet5."""
