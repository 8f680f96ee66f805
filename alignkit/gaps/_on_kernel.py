"""Measures that are functions of kernel means: one pass over the pooled cosines serves them all."""

from alignkit.gaps._clouds import Clouds
from alignkit.gaps._kernel_sums import KernelMeans, kernel_replicas, read_kernel
from alignkit.gaps._replicas import Replicas
from alignkit.gaps._replicated import Replicated

MOST = 5_000


class OnKernel(Replicated[KernelMeans]):
    """Read the mean kernel within and between the clouds."""

    most = MOST

    def _read(self, clouds: Clouds) -> KernelMeans:
        return read_kernel(clouds)

    def _replicas(self, clouds: Clouds, seed: int) -> Replicas[KernelMeans]:
        return kernel_replicas(clouds, seed)
