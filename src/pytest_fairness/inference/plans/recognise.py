"""Which preprocessing is recognised, and the plan that does the same."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_fairness.classifiers import Preprocessing
from pytest_fairness.classifiers.preprocessing.pixels import Crops, Pixels, Square
from pytest_fairness.classifiers.preprocessing.views import Flipped
from pytest_fairness.classifiers.sources.huggingface import Processor
from pytest_fairness.inference.plans.plan import CentreCrop, Plan, Resize, Size, TensorResize
from pytest_fairness.inference.plans.tables import table_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from pytest_fairness.inference.plans.plan import Step
    from pytest_fairness.inference.plans.resampling import Filter

__all__ = ["plan_of"]

_TAILS = {
    "ToTensor", "PILToTensor", "ConvertImageDtype", "ToImage", "ToDtype", "ToPureTensor", "Normalize",
    "MaybeToTensor", "MaybePILToTensor", "Identity",
}  # fmt: skip
"""Classes that take each pixel by itself, by their name."""
_MAKES_TENSORS = {
    "ToTensor",
    "PILToTensor",
    "ToImage",
    "MaybeToTensor",
    "MaybePILToTensor",
}
_FILTERS: dict[Any, "Filter"] = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}


def plan_of(preprocess: "Callable[[Image], Any]") -> Plan | None:
    """Return the plan that does what a preprocessing does, or None where it is not recognised.

    Recognised are those of this package, torchvision's `Compose` of `Resize`, `CenterCrop` and
    what takes each pixel by itself, the presets of its weights, timm's transforms for evaluation,
    and image processors of Hugging Face. Whoever runs a plan compares it with the preprocessing.

    Args:
        preprocess: From an RGB image to what a model takes.

    Example:
        >>> plan_of(Preprocessing(size=8)).text
        'resize to 8 x 8 (bilinear), 0 to 255 become 0/0/0 to 1/1/1'
        >>> plan_of(lambda image: image) is None
        True
    """
    if isinstance(preprocess, Flipped):
        plan = plan_of(preprocess.preprocess)
        return None if plan is None or plan.ten else replace(plan, mirrored=True)
    kind: Any = type(preprocess)
    name = kind.__name__ if kind.__module__.startswith("torchvision.transforms.") else ""
    found: Plan | None = None
    if kind in _OWN:
        found = _own(preprocess)
    elif isinstance(preprocess, Processor):
        found = _processor(preprocess.processor)
    elif name == "Compose":
        found = _compose(preprocess.transforms)  # type: ignore[attr-defined]
    elif name == "ImageClassification":
        found = _preset(preprocess)
    return found


_OWN = (Preprocessing, Pixels, Crops, Square)


def _own(preprocess: Any) -> Plan | None:
    """Return the plan of a preprocessing of this package."""
    if type(preprocess) is Preprocessing:
        side = preprocess.size
        table = table_of(replace(preprocess, size=16), mean=preprocess.mean, std=preprocess.std)
        return None if table is None else Plan((_to_size((side, side), "bilinear"),), table)
    pixels = preprocess if type(preprocess) is Pixels else preprocess.pixels
    grey = pixels.channels == "grey"
    table = table_of(pixels, grey=grey, mean=pixels.mean, std=pixels.std)
    if table is None:
        return None
    if type(preprocess) is Pixels:
        return Plan((), table, grey=grey)
    if type(preprocess) is Square:
        square = _to_size((preprocess.size, preprocess.size), preprocess.interpolation)
        return Plan((square,), table, grey=grey)
    resize = _shorter_side(preprocess.resize, None, preprocess.interpolation)
    if preprocess.ten:
        return Plan((resize,), table, grey=grey, ten=preprocess.crop)
    return Plan((resize, CentreCrop((preprocess.crop, preprocess.crop))), table, grey=grey)


def _compose(transforms: Sequence[Any]) -> Plan | None:
    """Return the plan of steps on an image, followed by what takes each pixel by itself."""
    steps: list[Step] = []
    rest = list(transforms)
    while rest and type(rest[0]).__name__ not in _TAILS:
        step = _step(rest.pop(0))
        if step is None:
            return None
        steps.append(step)
    names = [type(part).__name__ for part in rest]
    if not all(_known(part) for part in rest) or not _MAKES_TENSORS & set(names):
        return None
    normalise = next((part for part in rest if type(part).__name__ == "Normalize"), None)
    table = table_of(
        partial(_one_after_the_other, rest),
        mean=_numbers(getattr(normalise, "mean", None)),
        std=_numbers(getattr(normalise, "std", None)),
    )
    return None if table is None else Plan(tuple(steps), table)


def _known(transform: Any) -> bool:
    kind = type(transform)
    return kind.__name__ in _TAILS and kind.__module__.startswith(_LIBRARIES)


def _one_after_the_other(transforms: Sequence[Any], image: Any) -> Any:
    for transform in transforms:
        image = transform(image)
    return image


def _numbers(values: Any) -> list[float] | None:
    return None if values is None else [float(value) for value in values]


def _step(transform: Any) -> "Step | None":
    """Return what a transform of torchvision or timm does to an image."""
    name, module = type(transform).__name__, type(transform).__module__
    if not module.startswith(_LIBRARIES):
        return None
    if name in ("Resize", "ResizeKeepRatio"):
        kind = getattr(transform.interpolation, "value", transform.interpolation)
        if kind not in _FILTERS.values():
            return None
        return _resize(transform, kind) if name == "Resize" else _kept_ratio(transform, kind)
    if name == "CenterCrop" or (name == "CenterCropOrPad" and transform.padding_mode == "constant"):
        height, width = (int(side) for side in transform.size)
        fill = getattr(transform, "fill", 0)
        red, green, blue = (fill,) * 3 if isinstance(fill, int) else fill
        return CentreCrop((width, height), fill=(red, green, blue))
    return None


def _resize(transform: Any, kind: "Filter") -> Resize | None:
    size = transform.size
    sides = [size] if isinstance(size, int) else list(size or ())
    if len(sides) == 2:
        return _to_size((sides[1], sides[0]), kind)
    return _shorter_side(sides[0], transform.max_size, kind) if sides else None


def _kept_ratio(transform: Any, kind: "Filter") -> Resize | None:
    """Return timm's resize that keeps the ratio, where nothing of it is random."""
    if transform.random_scale_prob or transform.random_aspect_prob:
        return None
    height, width = transform.size
    longest = transform.longest

    def rule(size: Size) -> Size:
        ratios = (size[1] / height, size[0] / width)
        ratio = max(ratios) * longest + min(ratios) * (1.0 - longest)
        return round(size[0] / ratio), round(size[1] / ratio)

    return Resize(f"resize to fit {width} x {height} ({kind})", rule, kind)


def _preset(preset: Any) -> Plan | None:
    """Return the plan of the transforms that torchvision's weights name."""
    kind = getattr(preset.interpolation, "value", preset.interpolation)
    if kind not in _FILTERS.values() or len(preset.resize_size) != 1 or len(preset.crop_size) != 1:
        return None
    (side,), (crop,) = preset.resize_size, preset.crop_size

    def tail(image: "Image") -> Any:
        from torchvision.transforms import functional  # noqa: PLC0415

        numbers = functional.convert_image_dtype(functional.pil_to_tensor(image))
        return functional.normalize(numbers, mean=preset.mean, std=preset.std)

    table = table_of(tail, mean=preset.mean, std=preset.std)
    steps = (_shorter_side(side, None, kind), CentreCrop((crop, crop)))
    return None if table is None else Plan(steps, table)


def _processor(processor: Any) -> Plan | None:
    """Return the plan of an image processor of Hugging Face that only resizes, crops and scales."""
    backends = [kind for kind in type(processor).__mro__ if kind.__name__ in _BACKENDS]
    if len(backends) != 1 or backends[0].__module__ != "transformers.image_processing_backends":
        return None
    backend = backends[0]
    if any(getattr(type(processor), name) is not getattr(backend, name) for name in _METHODS):
        return None
    settings = processor.to_dict()
    if settings.get("do_pad"):
        return None
    steps: list[Step] = []
    if settings.get("do_resize"):
        resize = _processor_resize(settings, _BACKENDS[backend.__name__])
        if resize is None:
            return None
        steps.append(resize)
    if settings.get("do_center_crop"):
        size = settings.get("crop_size") or {}
        if "height" not in size or "width" not in size:
            return None
        steps.append(CentreCrop((size["width"], size["height"]), halves="down"))

    def tail(image: "Image") -> Any:
        found = processor(images=image, do_resize=False, do_center_crop=False, return_tensors="pt")
        return found["pixel_values"][0]

    table = table_of(tail, mean=settings.get("image_mean"), std=settings.get("image_std"))
    return None if table is None else Plan(tuple(steps), table)


def _processor_resize(
    settings: dict[str, Any], engine: type[Resize] | type[TensorResize]
) -> "Step | None":
    size = settings.get("size") or {}
    kind = _FILTERS.get(int(settings.get("resample", -1)))
    if kind is None or (engine is TensorResize and kind == "lanczos"):
        return None
    if set(size) == {"height", "width"}:
        made = _to_size((size["width"], size["height"]), kind)
    elif set(size) == {"shortest_edge"}:
        made = _shorter_side(size["shortest_edge"], None, kind)
    else:
        return None
    return engine(made.text, made.rule, made.kind)


_LIBRARIES = ("torchvision.transforms.", "timm.data.", "torch.nn.")
_BACKENDS: dict[str, type[Resize] | type[TensorResize]] = {
    "PilBackend": Resize,
    "TorchvisionBackend": TensorResize,
}
_METHODS = ("_preprocess", "resize", "center_crop", "rescale", "normalize", "process_image")


def _to_size(size: Size, kind: "Filter") -> Resize:
    return Resize(f"resize to {size[0]} x {size[1]} ({kind})", lambda _: size, kind)


def _shorter_side(side: int, longest: int | None, kind: "Filter") -> Resize:
    """Return the resize that keeps the ratio.

    Source: torchvision, `functional._compute_resized_output_size`.
    """

    def rule(size: Size) -> Size:
        short, long = min(size), max(size)
        new_short, new_long = side, int(side * long / short)
        if longest is not None and new_long > longest:
            new_short, new_long = int(longest * new_short / new_long), longest
        return (new_short, new_long) if size[0] <= size[1] else (new_long, new_short)

    return Resize(f"resize shorter side to {side} ({kind})", rule, kind)
