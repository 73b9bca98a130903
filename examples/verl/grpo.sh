#!/usr/bin/env bash
# GRPO on whole episodes, by verl 0.9 (Ray, FSDP2, vLLM).
#
#     MODEL=Qwen/Qwen3-VL-8B-Instruct TRAIN=data/train.parquet VAL=data/rule_ood.parquet bash examples/verl/grpo.sh
#
# What follows on the command line goes to verl. Several nodes, each with the same environment, model and files:
#
#     ray start --head --port 6379                # on the first
#     ray start --address ADDRESS_OF_FIRST:6379   # on each other
#     NODES=2 bash examples/verl/grpo.sh           # on the first
#
# docs/verl.md says how the files are made, and what was run of this; on GPUs it was not.
set -euo pipefail

MODEL=${MODEL:-Qwen/Qwen3-VL-8B-Instruct} # a language or vision-language model, by name or path
SAMPLES=${SAMPLES:-8} # episodes of a row, which are compared with each other
NODES=${NODES:-1}
GPUS=${GPUS:-8} # a node
TRAIN=${TRAIN:-data/train.parquet}
VAL=${VAL:-data/rule_ood.parquet}
PROMPT=${PROMPT:-2048}     # tokens of a first question, pictures included
RESPONSE=${RESPONSE:-4096} # tokens of all that follows: answers, feedback, further pictures
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

exec python3 -m verl.trainer.main_ppo \
    algorithm.adv_estimator=grpo \
    algorithm.use_kl_in_reward=False \
    data.train_files="$TRAIN" \
    data.val_files="$VAL" \
    data.image_key=images \
    data.train_batch_size=64 \
    data.max_prompt_length="$PROMPT" \
    data.max_response_length="$RESPONSE" \
    data.truncation=error \
    actor_rollout_ref.model.path="$MODEL" \
    actor_rollout_ref.model.use_remove_padding=True \
    actor_rollout_ref.model.enable_gradient_checkpointing=True \
    actor_rollout_ref.actor.strategy=fsdp2 \
    actor_rollout_ref.actor.optim.lr=1e-6 \
    actor_rollout_ref.actor.ppo_mini_batch_size=32 \
    actor_rollout_ref.actor.use_dynamic_bsz=True \
    actor_rollout_ref.actor.ppo_max_token_len_per_gpu=$(((PROMPT + RESPONSE) * 2)) \
    actor_rollout_ref.actor.use_kl_loss=True \
    actor_rollout_ref.actor.kl_loss_coef=0.001 \
    actor_rollout_ref.actor.kl_loss_type=low_var_kl \
    actor_rollout_ref.ref.fsdp_config.param_offload=True \
    actor_rollout_ref.rollout.name=vllm \
    actor_rollout_ref.rollout.n="$SAMPLES" \
    actor_rollout_ref.rollout.tensor_model_parallel_size=2 \
    actor_rollout_ref.rollout.gpu_memory_utilization=0.5 \
    actor_rollout_ref.rollout.max_num_batched_tokens=$(((PROMPT + RESPONSE) * 2)) \
    actor_rollout_ref.rollout.agent.num_workers=8 \
    actor_rollout_ref.rollout.agent.agent_loop_config_path="$HERE/loop.yaml" \
    trainer.nnodes="$NODES" \
    trainer.n_gpus_per_node="$GPUS" \
    trainer.val_before_train=True \
    trainer.test_freq=10 \
    trainer.save_freq=50 \
    trainer.total_epochs=1 \
    trainer.logger='["console","tensorboard"]' \
    trainer.project_name=verienv \
    trainer.experiment_name=grpo \
    "$@"
