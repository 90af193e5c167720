"""A recognised preprocessing is run by a plan whose numbers are the preprocessing's own."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms as v1
from torchvision.models import ResNet50_Weights, Swin_V2_T_Weights, ViT_B_16_Weights
from torchvision.transforms import v2
from typing_extensions import override

from pytest_fairness.classifiers import Preprocessing
from pytest_fairness.classifiers.preprocessing.pixels import Crops, Pixels, Square
from pytest_fairness.classifiers.preprocessing.views import Flipped
from pytest_fairness.classifiers.sources.huggingface import Processor
from pytest_fairness.inference.plans.recognise import plan_of

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BICUBIC = v1.InterpolationMode.BICUBIC
OWN = {
    "preprocessing": Preprocessing(32, MEAN, STD),
    "pixels": Pixels(MEAN, STD),
    "crops": Crops(40, 32),
    "ten crops": Crops(40, 32, ten=True),
    "blue first": Crops(40, 32, Pixels((103.0, 116.0, 123.0), (1.0, 2.0, 3.0), "bgr", 255), "bicubic"),
    "grey": Square(28, Pixels(channels="grey"), "nearest"),
    "mirrored": Flipped(Crops(40, 32)),
    "mirrored square": Flipped(Preprocessing(24)),
}  # fmt: skip
TORCHVISION = {
    "v1": v1.Compose([v1.Resize(40), v1.CenterCrop(32), v1.ToTensor(), v1.Normalize(MEAN, STD)]),
    "both sides": v1.Compose([v1.Resize((30, 50), BICUBIC), v1.ToTensor()]),
    "max size, padded": v1.Compose(
        [
            v1.Resize(40, max_size=60),
            v1.CenterCrop((50, 70)),
            v1.PILToTensor(),
            v1.ConvertImageDtype(torch.float),
            v1.Normalize(MEAN, STD),
        ]
    ),
    "8 bit": v1.Compose([v1.Resize((40, 40)), v1.PILToTensor()]),
    "no resize": v1.Compose([v1.CenterCrop(20), v1.ToTensor()]),
    "v2": v2.Compose(
        [
            v2.Resize(40),
            v2.CenterCrop(32),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    ),
    "resnet": ResNet50_Weights.IMAGENET1K_V2.transforms(),
    "vit": ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1.transforms(),
    "swin": Swin_V2_T_Weights.IMAGENET1K_V1.transforms(),
}
SIZES = [(64, 80), (80, 64), (33, 200), (300, 40), (20, 25), (30, 41), (37, 41), (1, 9), (48, 48)]


def timm_transforms():
    create = pytest.importorskip("timm.data").create_transform
    return {
        "timm": create(48),
        "timm bicubic": create(48, interpolation="bicubic", crop_pct=0.95),
        "timm squash": create((48, 40), crop_mode="squash"),
        "timm border": create(48, crop_pct=0.95, interpolation="bicubic", crop_mode="border"),
    }


def processors():
    hf = pytest.importorskip("transformers")
    square, short = {"height": 32, "width": 32}, {"shortest_edge": 32}
    return {
        "vit": hf.ViTImageProcessor(size=square),
        "vit by Pillow": hf.ViTImageProcessorPil(size=square),
        "clip": hf.CLIPImageProcessor(size=short, crop_size=square),
        "clip by Pillow": hf.CLIPImageProcessorPil(size=short, crop_size=square),
        "siglip by Pillow": hf.SiglipImageProcessorPil(size=square),
        "deit by Pillow": hf.DeiTImageProcessorPil(),
    }


def check(preprocess, *, somewhere_else: bool = True) -> None:
    plan = plan_of(preprocess)
    assert plan is not None
    generator = np.random.default_rng(0)
    for height, width in SIZES:
        pixels = generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
        image = Image.fromarray(pixels)
        wanted = torch.as_tensor(preprocess(image))
        mine = plan.pixels(image)
        found = plan.finish(mine[None])[0]
        assert found.dtype == wanted.dtype, (height, width)
        assert torch.equal(found, wanted), (height, width)
        if somewhere_else:
            decoded = torch.from_numpy(pixels).permute(2, 0, 1)[None]
            assert torch.equal(plan.pixels_on(decoded)[0], mine), (height, width)


@pytest.mark.parametrize("name", OWN)
def test_plans_of_this_package_give_the_same_numbers(name):
    check(OWN[name], somewhere_else=name != "ten crops")


@pytest.mark.parametrize("name", TORCHVISION)
def test_plans_of_torchvision_give_the_same_numbers(name):
    check(TORCHVISION[name])


@pytest.mark.parametrize("name", ["timm", "timm bicubic", "timm squash", "timm border"])
def test_plans_of_timm_give_the_same_numbers(name):
    check(timm_transforms()[name])


@pytest.mark.parametrize(
    "name",
    ["vit", "vit by Pillow", "clip", "clip by Pillow", "siglip by Pillow", "deit by Pillow"],
)
def test_plans_of_hugging_face_give_the_same_numbers(name):
    plan = plan_of(Processor(processors()[name]))
    assert plan is not None
    assert plan.on_card is name.endswith("Pillow")  # torchvision's resize stays on the CPU
    check(Processor(processors()[name]), somewhere_else=plan.on_card)


class Own(Preprocessing):
    """A subclass may do anything."""

    @override
    def __call__(self, image):
        return super().__call__(image) * 2


@pytest.mark.parametrize(
    "preprocess",
    [
        pytest.param(v1.functional.to_tensor, id="function"),
        pytest.param(Own(8), id="subclass"),
        pytest.param(v1.Compose([v1.Resize(40), v1.RandomCrop(32), v1.ToTensor()]), id="random"),
        pytest.param(v1.Compose([v1.Resize(40), v1.Grayscale(3), v1.ToTensor()]), id="grey"),
        pytest.param(
            v1.Compose([v1.ToTensor(), v1.Resize(40), v1.CenterCrop(8)]), id="tensors are resized"
        ),
        pytest.param(v1.Compose([v1.Resize(40), v1.CenterCrop(32)]), id="no tensor"),
        pytest.param(
            v1.Compose([v1.Resize(40), v1.ToTensor(), v1.Lambda(lambda x: x.flip(0))]), id="lambda"
        ),
        pytest.param(
            v1.Compose([v1.ToTensor(), v1.RandomErasing(1.0)]), id="random after the tensor"
        ),
        pytest.param(Flipped(v1.functional.to_tensor), id="flipped function"),
    ],
)
def test_what_is_not_recognised_has_no_plan(preprocess):
    assert plan_of(preprocess) is None


@pytest.mark.parametrize("name", ["ten crops", "vit"])
def test_what_a_card_cannot_do_is_refused_there_and_never_left_out(name):
    preprocess = OWN[name] if name in OWN else Processor(processors()[name])
    plan = plan_of(preprocess)
    assert plan is not None
    with pytest.raises(ValueError, match="one by one"):
        plan.pixels_on(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))


def test_a_processor_with_a_resize_of_its_own_has_no_plan():
    hf = pytest.importorskip("transformers")
    assert plan_of(Processor(hf.ConvNextImageProcessorPil())) is None  # scales by its crop_pct


@pytest.mark.parametrize(
    ("preprocess", "text"),
    [
        (
            OWN["blue first"],
            (
                "resize shorter side to 40 (bicubic), centre crop 32 x 32, "
                "0 to 255 become -103/-58/-41 to 152/69.5/44, blue first"
            ),
        ),
        (OWN["grey"], "resize to 28 x 28 (nearest), grey, 0 to 255 become 0 to 1"),
        (
            OWN["ten crops"],
            "resize shorter side to 40 (bilinear), ten crops of 32, 0 to 255 become 0/0/0 to 1/1/1",
        ),
    ],
)
def test_a_plan_is_told_in_words(preprocess, text):
    plan = plan_of(preprocess)
    assert plan is not None
    assert plan.text == text
