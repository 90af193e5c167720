"""Heavy imports happen once, before pytester runs pytest inside this process.

A second import of torch in one process crashes, and pytester forgets modules it saw imported.
"""

import numpy as np  # noqa: F401
import pandas as pd  # noqa: F401
import torch
import torchvision  # noqa: F401

torch.set_num_threads(1)
