// What a pass leaves alone keeps its memory, so addresses stand for ops, values and blocks, as they
// do for what is uniqued: a rebuilt copy counts as a change, and nothing need be numbered.
#include "ir/hash.h"
#include "ir/op_internal.h"
#include "ir/pass_internal.h"

static uint64_t mix(uint64_t hash, const void *address) {
  return dl_hash_mix(hash, (uintptr_t)address);
}

static uint64_t mix_op(uint64_t hash, const dl_op *op);

static uint64_t mix_block(uint64_t hash, const dl_block *block) {
  hash = mix(dl_hash_mix(hash, block->num_args), block);
  for (uint32_t i = 0; i < block->num_args; i++) {
    hash = mix(mix(hash, block->args[i]), block->args[i]->value.type);
    hash = dl_hash_mix(hash, block->args[i]->loc);
  }
  for (const dl_op *op = block->first; op; op = op->next) hash = mix_op(hash, op);
  return dl_hash_mix(hash, 1);
}

static uint64_t mix_op(uint64_t hash, const dl_op *op) {
  hash = mix(mix(hash, op), op->info);
  hash = dl_hash_mix(hash ^ op->num_operands, op->loc);
  for (uint32_t i = 0; i < op->num_operands; i++) hash = mix(hash, op->operands[i].value);
  for (uint32_t i = 0; i < op->num_results; i++) hash = mix(hash, op->results[i].type);
  hash = dl_hash_mix(hash, (uint64_t)op->num_inherent << 32 | op->num_attrs);
  for (uint32_t i = 0; i < op->num_attrs; i++)
    hash = mix(mix(hash, op->attrs[i].name), op->attrs[i].value);
  for (uint32_t i = 0; i < op->num_successors; i++) hash = mix(hash, dl_successors(op)[i]);
  for (uint32_t i = 0; i < op->num_regions; i++) {
    DL_FOR_BLOCKS(block, &dl_filled_regions(op)[i]) hash = mix_block(hash, block);
    hash = dl_hash_mix(hash, 2);
  }
  return hash;
}

uint64_t dl_fingerprint(dl_op *op) { return mix_op(0, op); }
