"""The catalogue by family: definitions only."""

from lossary.definition import gather
from lossary.losses import classification, divergence, margin, regression, similarity

definitions = gather(regression, classification, margin, divergence, similarity)
