#!/usr/bin/python3
"""Seconds of PyTorch's training step on the CPU: the peer of bench_step.

The same networks as the zoo's, written out; SGD with momentum on one batch that is in memory;
the time is the median of the steps after the first two, the memory the largest resident.
"""

import argparse
import json
import resource
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional


def alexnet():
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, stride=4), nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2), nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0),
        nn.Conv2d(96, 256, 5, padding=2, groups=2), nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2), nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(inplace=True),
        nn.Conv2d(384, 384, 3, padding=1, groups=2), nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=1, groups=2), nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2), nn.Flatten(),
        nn.Linear(9216, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, 1000),
    )


def vgg16():
    layers = []
    channels = 3
    for filters in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if filters == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, filters, 3, padding=1), nn.ReLU(inplace=True)]
        channels = filters
    return nn.Sequential(
        *layers, nn.Flatten(),
        nn.Linear(25088, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
        nn.Linear(4096, 1000),
    )


def normalized(channels, filters, kernel, stride=1, groups=1):
    return [
        nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(filters),
    ]


class Bottleneck(nn.Module):
    def __init__(self, channels, middle, stride):
        super().__init__()
        out = 4 * middle
        self.body = nn.Sequential(
            *normalized(channels, middle, 1), nn.ReLU(inplace=True),
            *normalized(middle, middle, 3, stride), nn.ReLU(inplace=True),
            *normalized(middle, out, 1),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(*normalized(channels, out, 1, stride))
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


def resnet50():
    layers = [*normalized(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for middle, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(count):
            layers.append(Bottleneck(channels, middle, stride if i == 0 else 1))
            channels = 4 * middle
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))


class Basic(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.body = nn.Sequential(
            *normalized(channels, filters, 3, stride), nn.ReLU(inplace=True),
            *normalized(filters, filters, 3),
        )
        self.stride = stride
        self.more = filters - channels
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        shortcut = x
        if self.stride != 1 or self.more > 0:
            half = self.more // 2
            shortcut = functional.pad(x[:, :, :: self.stride, :: self.stride],
                                      (0, 0, 0, 0, half, self.more - half))
        return self.relu(self.body(x) + shortcut)


def resnet20():
    layers = [*normalized(3, 16, 3), nn.ReLU(inplace=True)]
    channels = 16
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        for i in range(3):
            layers.append(Basic(channels, filters, stride if i == 0 else 1))
            channels = filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Inverted(nn.Module):
    def __init__(self, channels, filters, stride, wider):
        super().__init__()
        middle = channels * wider
        layers = []
        if wider != 1:
            layers += [*normalized(channels, middle, 1), nn.ReLU6(inplace=True)]
        layers += [*normalized(middle, middle, 3, stride, middle), nn.ReLU6(inplace=True)]
        self.body = nn.Sequential(*layers, *normalized(middle, filters, 1))
        self.adds = stride == 1 and channels == filters

    def forward(self, x):
        return x + self.body(x) if self.adds else self.body(x)


def mobilenet2():
    layers = [*normalized(3, 32, 3, 2), nn.ReLU6(inplace=True)]
    channels = 32
    for wider, filters, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2),
                                          (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                                          (6, 320, 1, 1)):
        for i in range(count):
            layers.append(Inverted(channels, filters, stride if i == 0 else 1, wider))
            channels = filters
    return nn.Sequential(
        *layers, *normalized(320, 1280, 1), nn.ReLU6(inplace=True),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, 1000),
    )


# name: (network, side of an image, classes)
NETWORKS = {
    "alexnet": (alexnet, 227, 1000),
    "vgg-16": (vgg16, 224, 1000),
    "resnet-50": (resnet50, 224, 1000),
    "resnet-20": (resnet20, 32, 10),
    "mobilenet-v2": (mobilenet2, 224, 1000),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", choices=sorted(NETWORKS), default="resnet-20")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    parser.add_argument("--steps", type=int, default=5)
    options = parser.parse_args()
    if options.batch < 1 or options.steps < 1 or options.threads < 0:
        parser.error("batch and steps must be at least 1, threads at least 0")
    if options.threads > 0:
        torch.set_num_threads(options.threads)
    make, side, classes = NETWORKS[options.network]
    torch.manual_seed(1)
    model = make()
    images = torch.randn(options.batch, 3, side, side)
    labels = torch.randint(0, classes, (options.batch,))
    # as small as bench_step's: a batch that is known by heart has denormal gradients
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6, momentum=0.9)
    loss_of = nn.CrossEntropyLoss()
    times = []
    for _ in range(options.steps + 2):
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = loss_of(model(images), labels)
        loss.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    print(json.dumps({
        "network": options.network,
        "version": torch.__version__,
        "batch": options.batch,
        "threads": torch.get_num_threads(),
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": round(statistics.median(times[2:]), 6),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "loss": round(loss.item(), 6),
    }))
    return 0


if __name__ == "__main__":
    sys.exit(main())
