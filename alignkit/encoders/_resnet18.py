"""ResNet-18's trunk out of torch's own layers, with torchvision's names, for any number of input channels."""

from typing import Any, TypeAlias

Net: TypeAlias = Any  # a torch.nn.Module: torch is imported where it is used
Maps: TypeAlias = Any  # a torch tensor: items, channels, height, width

WIDTHS = (64, 128, 256, 512)


def resnet18(channels: int) -> Net:
    """Return an untrained trunk whose ``state_dict`` has torchvision's names, without the last layer.

    References
    ----------
    He et al. (2016), *Deep residual learning for image recognition*, table 1.

    Examples
    --------
    >>> trunk = resnet18(1)
    >>> sum(weight.numel() for weight in trunk.parameters())
    11170240
    """
    from torch import nn

    trunk = nn.Module()
    trunk.conv1 = nn.Conv2d(channels, WIDTHS[0], 7, stride=2, padding=3, bias=False)
    trunk.bn1 = nn.BatchNorm2d(WIDTHS[0])
    before = WIDTHS[0]
    for number, width in enumerate(WIDTHS, 1):
        blocks = nn.Sequential(_block(before, width), _block(width, width))
        trunk.add_module(f"layer{number}", blocks)
        before = width
    return trunk


def run_resnet18(trunk: Net, maps: Maps) -> Maps:
    """Return one vector of 512 for each item: the last feature maps, averaged over their places."""
    from torch.nn import functional

    maps = functional.relu(trunk.bn1(trunk.conv1(maps)))
    maps = functional.max_pool2d(maps, 3, stride=2, padding=1)
    for number in range(1, len(WIDTHS) + 1):
        for block in getattr(trunk, f"layer{number}"):
            maps = _run_block(block, maps)
    return maps.mean(dim=(2, 3))


def _block(before: int, width: int) -> Net:
    from torch import nn

    block, stride = nn.Module(), 1 if before == width else 2
    block.conv1 = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
    block.bn1 = nn.BatchNorm2d(width)
    block.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
    block.bn2 = nn.BatchNorm2d(width)
    if before != width:
        shortcut = nn.Conv2d(before, width, 1, stride=stride, bias=False)
        block.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(width))
    return block


def _run_block(block: Net, maps: Maps) -> Maps:
    from torch.nn import functional

    inner = functional.relu(block.bn1(block.conv1(maps)))
    inner = block.bn2(block.conv2(inner))
    return functional.relu(inner + (block.downsample(maps) if hasattr(block, "downsample") else maps))
