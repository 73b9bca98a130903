"""Copies of a model in several processes: their gradients lie where they are added up."""

import torch
from torch import distributed, nn

from verienv.policies.hugging_face.sharding import copied


def test_the_gradients_of_copies_lie_in_their_bucket_and_nowhere_else():
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
        trained = copied(model)
        for _ in range(2):
            for _ in range(2):  # micro-batches add up
                trained(torch.ones(1, 8)).sum().backward()
            assert len({weight.grad.untyped_storage().data_ptr() for weight in model.parameters()}) == 1
            assert model[1].bias.grad.tolist() == [2.0] * 8
            model.zero_grad()
    finally:
        distributed.destroy_process_group()
