"""The box around a card as it lies."""

from math import cos, radians, sin

from verienv.generalpoints.pictures.poses import Pose


def box(pose: Pose) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a card as it lies."""
    turn = radians(abs(pose.angle))
    half_width = (pose.width * cos(turn) + pose.height * sin(turn)) / 2
    half_height = (pose.width * sin(turn) + pose.height * cos(turn)) / 2
    return pose.x - half_width, pose.y - half_height, pose.x + half_width, pose.y + half_height
