"""An engine for deep learning, from an empty file.  The only import is NumPy."""

import itertools

import numpy as np

# === 1 a value and its recipe ===

births = itertools.count()


class Tensor:
    """A value, and the recipe that made it: an operator's name, its inputs, and for each input a rule."""

    def __init__(self, data, op="", inputs=(), rules=()):
        self.data = np.array(data, dtype=float)  # a copy
        self.op, self.inputs, self.rules = op, tuple(inputs), tuple(rules)
        self.birth = next(births)  # later than that of its inputs

    @property
    def shape(self):
        return self.data.shape

    def __repr__(self):
        return f"Tensor({self.data.tolist()}, {self.op!r})"


def tensor(x):
    return x if isinstance(x, Tensor) else Tensor(x)


# === 2 adding and multiplying ===


def add(a, b):
    a, b = tensor(a), tensor(b)
    return Tensor(a.data + b.data, "add", [a, b], [lambda g: g, lambda g: g])


def multiply(a, b):
    a, b = tensor(a), tensor(b)
    return Tensor(a.data * b.data, "multiply", [a, b], [lambda g: g * b, lambda g: g * a])


Tensor.__add__ = Tensor.__radd__ = add
Tensor.__mul__ = Tensor.__rmul__ = multiply
Tensor.__neg__ = lambda a: a * -1
Tensor.__sub__ = lambda a, b: a + -tensor(b)
Tensor.__rsub__ = lambda a, b: tensor(b) + -a
Tensor.__array_ufunc__ = None  # so that array * Tensor asks Tensor.__rmul__


# === 3 history ===


def history(y):
    """Every Tensor that y was computed from, y itself first, and each before its inputs."""
    seen, todo = {y}, [y]
    while todo:
        for x in todo.pop().inputs:
            if x not in seen:
                seen.add(x)
                todo.append(x)
    return sorted(seen, key=lambda t: t.birth, reverse=True)


# === 4 gradients ===


def gradients(y, xs, seed=None):
    """For each x in xs the gradient of sum(seed * y), as a Tensor with a recipe."""
    sums = {y: tensor(np.ones(y.shape) if seed is None else seed)}
    for t in history(y):
        for x, rule in zip(t.inputs, t.rules, strict=True):
            share = fit(rule(sums[t]), x.shape)  # fit comes with step 8
            sums[x] = sums[x] + share if x in sums else share
    return [sums[x] if x in sums else Tensor(np.zeros(x.shape)) for x in xs]


# === 5 functions of one number ===


def power(x, n):
    x = tensor(x)
    if n == 0:
        return Tensor(np.ones(x.shape))
    return Tensor(x.data**n, "power", [x], [lambda g: g * n * power(x, n - 1)])


def exp(x):
    x = tensor(x)
    return Tensor(np.exp(x.data), "exp", [x], [lambda g: g * exp(x)])


def log(x):
    x = tensor(x)
    return Tensor(np.log(x.data), "log", [x], [lambda g: g / x])


def tanh(x):
    x = tensor(x)
    return Tensor(np.tanh(x.data), "tanh", [x], [lambda g: g * (1 - tanh(x) ** 2)])


def relu(x):
    x = tensor(x)
    return Tensor(np.maximum(x.data, 0), "relu", [x], [lambda g: g * (x.data > 0)])


Tensor.__pow__ = power
Tensor.__truediv__ = lambda a, b: a * tensor(b) ** -1
Tensor.__rtruediv__ = lambda a, b: b * a**-1


# === 6 the derivative of a derivative ===


def bend(f, x, v):
    """How the gradient of f at x changes in the direction v: the Hessian times v."""
    x = tensor(x)
    (slope,) = gradients(f(x), [x])
    return gradients(slope, [x], seed=v)[0]


# === 7 sums and their adjoint ===


def reshape(x, shape):
    x = tensor(x)
    return Tensor(x.data.reshape(shape), "reshape", [x], [lambda g: reshape(g, x.shape)])


def total(x, axes):
    """The sum along these axes, which stay, with length 1."""
    x = tensor(x)
    return Tensor(x.data.sum(axis=tuple(axes), keepdims=True), "total", [x], [lambda g: spread(g, x.shape)])


def spread(x, shape):
    """Axes of length 1 repeated, up to this shape."""
    x = tensor(x)
    axes = [i for i, n in enumerate(shape) if n != x.shape[i]]
    return Tensor(np.broadcast_to(x.data, shape), "spread", [x], [lambda g: total(g, axes)])


def mean(x):
    x = tensor(x)
    return reshape(total(x, range(x.data.ndim)), ()) / x.data.size


# === 8 broadcasting ===


def fit(g, shape):
    """The adjoint of broadcasting: whatever was repeated is summed, down to this shape."""
    new = g.data.ndim - len(shape)
    axes = [i for i, n in enumerate(g.shape) if i < new or n != shape[i - new]]
    return reshape(total(g, axes), shape) if axes else g


# === 9 transpose and matmul ===


def transpose(x, axes):
    x = tensor(x)
    return Tensor(x.data.transpose(axes), "transpose", [x], [lambda g: transpose(g, np.argsort(axes))])


def matmul(a, b):
    a, b = tensor(a), tensor(b)
    return Tensor(a.data @ b.data, "matmul", [a, b], [lambda g: g @ b.mT, lambda g: a.mT @ g])


def swapped(x):
    """The last two axes exchanged."""
    *front, i, j = range(x.data.ndim)
    return transpose(x, (*front, j, i))


Tensor.mT = property(swapped)
Tensor.__matmul__ = matmul
Tensor.__rmatmul__ = lambda a, b: matmul(b, a)


# === 10 take and put ===


def take(x, index):
    x = tensor(x)
    return Tensor(x.data[index], "take", [x], [lambda g: put(g, index, x.shape)])


def put(x, index, shape):
    """Zeros, to which x is added at the index; what comes to the same place adds up."""
    x = tensor(x)
    y = np.zeros(shape)
    np.add.at(y, index, x.data)
    return Tensor(y, "put", [x], [lambda g: take(g, index)])


Tensor.__getitem__ = take


# === 11 a loss ===


def log_softmax(x):
    """log(exp(x) / sum of exp(x)) along the last axis."""
    x = tensor(x)
    x = x - x.data.max(axis=-1, keepdims=True)
    return x - log(total(exp(x), [x.data.ndim - 1]))


def cross_entropy(x, labels):
    return -mean(log_softmax(x)[np.arange(len(labels)), labels])


# === 12 windows and fold ===


def windows(x, size, stride):
    """x (n, c, height, width) -> (n, c, h, w, i, j): row h s + i, column w s + j."""
    x = tensor(x)
    seen = np.lib.stride_tricks.sliding_window_view(x.data, size, axis=(2, 3))[:, :, ::stride, ::stride]
    return Tensor(seen, "windows", [x], [lambda g: fold(g, x.shape, stride)])


def fold(x, shape, stride):
    """The adjoint of windows: what each window holds is added to where it was read."""
    x = tensor(x)
    _, _, h, w, *size = x.shape
    y = np.zeros(shape)
    for i, j in np.ndindex(*size):
        y[:, :, i : i + h * stride : stride, j : j + w * stride : stride] += x.data[..., i, j]
    return Tensor(y, "fold", [x], [lambda g: windows(g, size, stride)])


# === 13 convolution ===


def pad(x, p):
    """A margin of p zeros around each image."""
    x = tensor(x)
    n, c, h, w = x.shape
    return put(x, np.s_[:, :, p : p + h, p : p + w], (n, c, h + 2 * p, w + 2 * p))


def conv2d(x, w, b, stride=1, padding=0):
    """y[n, o, h, w] = sum over c, i, j of x[n, c, h s + i - p, w s + j - p] * w[o, c, i, j] + b[o]"""
    w = tensor(w)
    seen = transpose(windows(pad(x, padding), w.shape[2:], stride), (0, 2, 3, 1, 4, 5))  # n h w c i j
    rows = reshape(seen, (*seen.shape[:3], -1))  # n h w (c i j)
    return transpose(rows @ reshape(w, (w.shape[0], -1)).mT + b, (0, 3, 1, 2))


# === 14 max pooling ===


def max_pool2d(x, size):
    """The largest of each size x size cells, side by side."""
    seen = windows(x, (size, size), size)
    cells = reshape(seen, (*seen.shape[:4], -1))
    first = cells.data.argmax(axis=-1)
    return cells[(*np.indices(first.shape), first)]


# === 15 layers and steps ===


class Module:
    def parameters(self):
        """Every Tensor in an attribute, of this Module and of those within, each once."""
        found = {}
        for part in vars(self).values():
            for p in part if isinstance(part, list) else [part]:
                new = p.parameters() if isinstance(p, Module) else [p] if isinstance(p, Tensor) else []
                found |= dict.fromkeys(new)
        return list(found)


class Conv(Module):
    def __init__(self, c, o, k, rng, padding=0):
        self.w = Tensor(rng.normal(0, (2 / (c * k * k)) ** 0.5, (o, c, k, k)))
        self.b = Tensor(np.zeros(o))
        self.padding = padding

    def __call__(self, x):
        return conv2d(x, self.w, self.b, padding=self.padding)


class Dense(Module):
    def __init__(self, c, o, rng):
        self.w, self.b = Tensor(rng.normal(0, (2 / c) ** 0.5, (c, o))), Tensor(np.zeros(o))

    def __call__(self, x):
        return x @ self.w + self.b


def sgd(parameters, grads, speeds, rate, momentum=0.9):
    for p, g in zip(parameters, grads, strict=True):
        speeds[p] = momentum * speeds.get(p, 0) + g.data
        p.data = p.data - rate * speeds[p]


# === 16 a network that reads ===


class LeNet(Module):
    def __init__(self, rng):
        self.conv1, self.conv2 = Conv(1, 8, 3, rng, padding=1), Conv(8, 16, 3, rng, padding=1)
        self.dense = Dense(16 * 2 * 2, 10, rng)

    def __call__(self, x):
        x = max_pool2d(relu(self.conv1(x)), 2)  # n 8 4 4
        x = max_pool2d(relu(self.conv2(x)), 2)  # n 16 2 2
        return self.dense(reshape(x, (x.shape[0], -1)))


def train(model, images, labels, epochs, rng, rate=0.03, batch=16):
    speeds = {}
    for _ in range(epochs):
        for part in np.split(rng.permutation(len(labels)), range(batch, len(labels), batch)):
            loss = cross_entropy(model(images[part]), labels[part])
            parameters = model.parameters()
            sgd(parameters, gradients(loss, parameters), speeds, rate)


def accuracy(model, images, labels):
    return (model(images).data.argmax(axis=1) == labels).mean()
