"""Make the demo clip from its script, `rtstream_async.local.assets.PARTS`.

Needs the `local` extra, Pillow and scikit-image (for three photographs in its wheel), and from
Debian `espeak-ng` and `fonts-dejavu-core`. The same versions make the same bytes.

    python tools/make_clip.py [OUTPUT]
"""

# PyAV leaves parts of its signatures untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.codec.context
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from rtstream_async.local.assets import PARTS, Part, clip_path

WIDTH, HEIGHT, FPS = 1280, 720, 25
KEYFRAME_EVERY = 2 * FPS  # parts begin at even seconds, so every cut is a key frame
SAMPLE_RATE = 48_000
SPEECH_DELAY = 0.25  # seconds after the cut
SIZE_LIMIT = 2_000_000

X264 = {
    "crf": "25",
    "preset": "veryslow",
    "tune": "stillimage",
    "profile": "high",
    # No B-frames: like most cameras, and every reader gets dts == pts. One thread and no
    # scene-cut detection, so that the bytes and the key frames do not depend on the machine.
    "x264-params": ":".join(
        (
            "ref=4",  # stays within level 3.1, which everything plays
            f"keyint={KEYFRAME_EVERY}",
            f"min-keyint={KEYFRAME_EVERY}",
            "scenecut=0",
            "bframes=0",
            "threads=1",
        )
    ),
}

Draw = Callable[[Part, float], Image.Image]


def font(size: int, face: str = "DejaVuSans") -> ImageFont.FreeTypeFont:
    """Return a DejaVu font of `size` pixels."""
    return ImageFont.truetype(f"{face}.ttf", size)


def canvas(colour: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Return an empty frame of one colour, and its pen."""
    image = Image.new("RGB", (WIDTH, HEIGHT), colour)
    return image, ImageDraw.Draw(image)


def draw_chat(part: Part, at: float) -> Image.Image:
    """Return the chat window `at` seconds into its part; a message appears every 1.2 s."""
    image, pen = canvas("#f4f6fa")
    channel, *rest = part.reads
    pen.rectangle((0, 0, 250, HEIGHT), fill="#2b3350")
    for row, width in enumerate((150, 120, 170, 110)):
        top = 130 + 58 * row
        pen.rounded_rectangle((34, top, 34 + width, top + 18), 9, fill="#55608a")
    pen.rectangle((250, 0, WIDTH, 96), fill="#ffffff")
    pen.line((250, 96, WIDTH, 96), fill="#d5dae6", width=2)
    pen.text((290, 24), channel, font=font(40, "DejaVuSans-Bold"), fill="#1d2333")
    messages = list(zip(rest[::2], rest[1::2], strict=True))
    avatars = ("#c2410c", "#0f766e")
    for row, (name, text) in enumerate(messages[: 1 + int(at / 1.2)]):
        top = 150 + 220 * row
        pen.ellipse((290, top, 370, top + 80), fill=avatars[row % 2])
        initial = font(44, "DejaVuSans-Bold")
        pen.text((330, top + 40), name[0], font=initial, fill="white", anchor="mm")
        pen.text((400, top - 4), name, font=font(30, "DejaVuSans-Bold"), fill="#3b4460")
        pen.rounded_rectangle((396, top + 46, 1200, top + 136), 18, fill="#ffffff")
        pen.text((424, top + 64), text, font=font(44), fill="#10141f")
    return image


def draw_log(part: Part, at: float) -> Image.Image:
    """Return the terminal `at` seconds into its part; a line appears every 0.4 s."""
    image, pen = canvas("#10151c")
    pen.rectangle((0, 0, WIDTH, 62), fill="#2a313c")
    for x, colour in ((36, "#ef6a5f"), (76, "#f5bf4f"), (116, "#62c554")):
        pen.ellipse((x, 20, x + 22, 42), fill=colour)
    for row, line in enumerate(part.reads[: 1 + int(at / 0.4)]):
        colour = "#ff7b72" if "fail" in line.lower() or "Error" in line else "#d7e0ea"
        pen.text((56, 100 + 80 * row), line, font=font(42, "DejaVuSansMono"), fill=colour)
    return image


def draw_dashboard(part: Part, at: float) -> Image.Image:
    """Return the dashboard `at` seconds into its part; the bars grow for 4 s."""
    image, pen = canvas("#eef1f5")
    title, *cells = part.reads
    pen.text((60, 36), title, font=font(46, "DejaVuSans-Bold"), fill="#172033")
    tones = ("#0b7a4b", "#c2261c", "#b45309")
    for column, (label, number) in enumerate(zip(cells[::2], cells[1::2], strict=True)):
        left = 60 + 400 * column
        pen.rounded_rectangle((left, 120, left + 360, 340), 20, fill="#ffffff")
        pen.text((left + 30, 146), label, font=font(34), fill="#475069")
        pen.text((left + 30, 210), number, font=font(84, "DejaVuSans-Bold"), fill=tones[column % 3])
    pen.rounded_rectangle((60, 370, 1220, 640), 20, fill="#ffffff")
    for bar, share in enumerate((30, 42, 38, 55, 61, 48, 70, 83, 77, 92)):
        height = 230 * share / 100 * min(1.0, at / 4)
        left = 104 + 110 * bar
        pen.rectangle((left, 625 - height, left + 66, 625), fill="#3f6fd8")
    return image


def draw_photograph(
    source: Callable[[], npt.NDArray[np.uint8]], focus: tuple[float, float]
) -> Draw:
    """Return a drawer that moves slowly in on `focus` (shares of width and height)."""
    photograph = Image.fromarray(source()).convert("RGB")

    def draw(part: Part, at: float) -> Image.Image:
        share = 1.0 - 0.22 * at / (part.end - part.start)
        width = min(photograph.width, photograph.height * WIDTH / HEIGHT) * share
        height = width * HEIGHT / WIDTH
        left = (photograph.width - width) * focus[0]
        top = (photograph.height - height) * focus[1]
        return photograph.resize(
            (WIDTH, HEIGHT), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height)
        )

    return draw


DRAWERS: tuple[Draw, ...] = (
    draw_chat,
    draw_photograph(data.astronaut, (0.4, 0.1)),
    draw_log,
    draw_photograph(data.camera, (0.4, 0.25)),
    draw_dashboard,
    draw_photograph(data.chelsea, (0.4, 0.3)),
)


def stamp(image: Image.Image, at: float) -> Image.Image:
    """Write the clip's own time into the lower right corner, so that a player can be checked."""
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((1120, 656, 1260, 706), 12, fill="#000000")
    text = f"{int(at) // 60:02}:{int(at) % 60:02}"
    pen.text((1190, 681), text, font=font(34, "DejaVuSansMono"), fill="#ffffff", anchor="mm")
    return image


def frames() -> Iterator[Image.Image]:
    """Yield every frame of the clip."""
    for part, draw in zip(PARTS, DRAWERS, strict=True):
        first, last = round(part.start * FPS), round(part.end * FPS)
        for number in range(first, last):
            yield stamp(draw(part, number / FPS - part.start), number / FPS)


def speak(sentence: str) -> npt.NDArray[np.int16]:
    """Return `sentence` as mono samples at `SAMPLE_RATE`."""
    spoken = subprocess.run(
        ["espeak-ng", "-v", "en-us", "-s", "150", "--stdout", sentence],
        check=True,
        capture_output=True,
    ).stdout
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    with av.open(io.BytesIO(spoken), "r") as wav:
        resampled = [out for frame in wav.decode(audio=0) for out in resampler.resample(frame)]
    resampled += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in resampled]).astype(np.int16)


def narration() -> npt.NDArray[np.int16]:
    """Return the sound of the whole clip."""
    track = np.zeros(round(PARTS[-1].end * SAMPLE_RATE), np.int16)
    for part in PARTS:
        words = speak(part.says)
        first = round((part.start + SPEECH_DELAY) * SAMPLE_RATE)
        if first + len(words) > part.end * SAMPLE_RATE:
            raise ValueError(f"{part.says!r} takes {len(words) / SAMPLE_RATE:.1f} s, too long")
        track[first : first + len(words)] = words
    return track


def write(path: Path) -> None:
    """Encode the clip into `path`."""
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = container.add_stream("libx264", rate=FPS, options=X264)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.time_base = Fraction(1, FPS)
        video.codec_context.colorspace = 1  # BT.709, as players expect of this size
        video.codec_context.color_primaries = 1
        video.codec_context.color_trc = 1
        video.codec_context.color_range = 1
        audio = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        audio.codec_context.bit_rate = 64_000
        for stream in (video, audio):
            stream.codec_context.flags |= av.codec.context.Flags.bitexact
        track = narration()
        step = SAMPLE_RATE // FPS
        for number, image in enumerate(frames()):
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24").reformat(
                format="yuv420p", dst_colorspace="ITU709"
            )
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
            samples = track[np.newaxis, number * step : (number + 1) * step]
            sound = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            sound.sample_rate, sound.pts = SAMPLE_RATE, number * step
            container.mux(audio.encode(sound))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def main() -> None:
    """Write the clip, and refuse one that is too big to ship."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else clip_path()
    write(path)
    size = path.stat().st_size
    print(f"{path}: {size:,} bytes")
    if size >= SIZE_LIMIT:
        raise SystemExit(f"over {SIZE_LIMIT:,} bytes")


if __name__ == "__main__":
    main()
