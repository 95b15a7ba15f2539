#!/usr/bin/python3
"""Training throughput of PyTorch on the CPU: the peer of bench_train.

The same LeNet-5, batch, threads and optimiser (Adam) on images that are in
memory as float tensors; the time of a step is the median. PyTorch is run as
each of several variants, and --calibrate names the fastest, so that it is
compared at its best.
"""

import argparse
import json
import statistics
import sys
import time

import torch
from torch import nn

IMAGES = 4096
CLASSES = 10

# name: (memory format, Adam updates all tensors in one call, traced to a graph)
VARIANTS = {
    "plain": (torch.contiguous_format, False, False),
    "channels-last": (torch.channels_last, False, False),
    "foreach": (torch.contiguous_format, True, False),
    "channels-last-foreach": (torch.channels_last, True, False),
    "traced-foreach": (torch.contiguous_format, True, True),
}


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 20, 5),
        nn.MaxPool2d(2),
        nn.Conv2d(20, 50, 5),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(800, 500),
        nn.ReLU(),
        nn.Linear(500, CLASSES),
    )


def make_trainer(variant, batch):
    memory_format, foreach, traced = VARIANTS[variant]
    torch.manual_seed(1)
    images = torch.rand(IMAGES, 1, 28, 28)
    labels = torch.randint(0, CLASSES, (IMAGES,))
    model = lenet5().to(memory_format=memory_format)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, foreach=foreach)
    loss_of = nn.CrossEntropyLoss()
    network = torch.jit.trace(model, images[:batch]) if traced else model
    first = 0

    def step():
        nonlocal first
        x = images[first : first + batch].contiguous(memory_format=memory_format)
        y = labels[first : first + batch]
        first = (first + batch) % (IMAGES - batch + 1)
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(network(x), y)
        loss.backward()
        optimizer.step()

    return step


def images_per_second(variant, batch, seconds):
    step = make_trainer(variant, batch)
    end = time.perf_counter() + seconds
    warm = end - 0.8 * seconds  # the first fifth is not counted
    times = []
    while time.perf_counter() < end or not times:
        start = time.perf_counter()
        step()
        now = time.perf_counter()
        if now > warm:
            times.append(now - start)
    return batch / statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--variant", choices=sorted(VARIANTS), default="plain")
    parser.add_argument("--calibrate", action="store_true", help="name the fastest variant")
    options = parser.parse_args()
    if not 1 <= options.batch <= IMAGES or options.threads < 0 or options.seconds <= 0:
        parser.error("batch must be 1 to 4096, threads at least 0, seconds positive")
    if options.threads > 0:
        torch.set_num_threads(options.threads)

    result = {
        "peer": "pytorch",
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "batch": options.batch,
    }
    if options.calibrate:
        rates = {
            name: round(images_per_second(name, options.batch, options.seconds), 1)
            for name in VARIANTS
        }
        result["variants"] = rates
        result["variant"] = max(rates, key=rates.get)
    else:
        result["variant"] = options.variant
        result["images_per_second"] = round(
            images_per_second(options.variant, options.batch, options.seconds), 1
        )
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
