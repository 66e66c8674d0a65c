// canonicalize: folds, simplifies by the ops' algebraic traits, merges equal constants and erases
// dead ops, to a fixed point.
#include "ir/pass.h"

// The op that makes the only operand, if it is of the same kind and shape.
static dl_op *same_op_below(dl_op *op) {
  if (dl_num_operands(op) != 1 || dl_num_results(op) != 1) return NULL;
  dl_op *inner = dl_value_def(dl_operand(op, 0));
  bool same = inner && dl_op_def_of(inner) == dl_op_def_of(op) && dl_num_operands(inner) == 1 &&
              dl_num_inherent_attrs(inner) == dl_num_inherent_attrs(op);
  for (size_t i = 0; same && i < dl_num_inherent_attrs(op); i++)
    same = dl_inherent_attr(op, i).value == dl_inherent_attr(inner, i).value;
  return same ? inner : NULL;
}

static dl_outcome replace_by(dl_rewriter *rw, dl_op *op, dl_value *value) {
  if (dl_value_type(value) != dl_value_type(dl_result(op, 0))) return DL_NO_MATCH;
  dl_replace(rw, op, value);
  return DL_CHANGED;
}

// f(f(x)) = x, f(f(x)) = f(x)
static dl_outcome simplify_twice(dl_rewriter *rw, dl_op *op) {
  if (!dl_has_trait(op, DL_INVOLUTION | DL_IDEMPOTENT)) return DL_NO_MATCH;
  dl_op *inner = same_op_below(op);
  if (!inner) return DL_NO_MATCH;
  bool involution = dl_has_trait(op, DL_INVOLUTION);
  return replace_by(rw, op, involution ? dl_operand(inner, 0) : dl_result(inner, 0));
}

DL_REWRITE_PASS(canonicalize, "canonicalize", NULL,
                "Fold, simplify and erase dead ops to a fixed point", DL_EXACT,
                {.rewrite = simplify_twice, .benefit = 1, .name = "simplify_twice"});
