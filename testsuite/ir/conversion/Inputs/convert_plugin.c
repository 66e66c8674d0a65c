// A plugin with conversions of a small dialect, "old", to another one, "new".
//   old.split     is rewritten in two steps, of which the second one fails for "at" = 1
//   old.number    of type i32 becomes i64; old.pair, of type tuple<…>, becomes its elements
//   old.nest      shrinks by one each time its recursive pattern applies
//   old.wide      has two patterns; that of higher benefit leads nowhere
#include "ir/conversion.h"
#include "ir/plugin.h"

static dl_op *build(dl_conversion *cv, const char *name, size_t num_operands,
                    dl_value *const *operands, size_t num_results, const dl_type *types) {
  dl_builder *b = dl_cv_builder(cv);
  return dl_build(b, &(dl_op_state){.def = dl_unregistered_op_def(b->ctx, dl_str_of(name)),
                                    .num_operands = num_operands,
                                    .operands = operands,
                                    .num_results = num_results,
                                    .result_types = types});
}

static bool is_named(const dl_op *op, const char *name) { return !strcmp(dl_op_name(op), name); }

// Replaces op by one of another name, with all that types become.
static dl_outcome rename_op(dl_conversion *cv, dl_op *op, const char *name) {
  dl_value_list operands = {0}, results = {0};
  dl_type_list types = {0};
  for (size_t i = 0; i < dl_num_operands(op); i++) dl_cv_operands(cv, op, i, &operands);
  for (size_t i = 0; i < dl_num_results(op); i++)
    DL_PUSH(&types, dl_cv_type(cv, dl_value_type(dl_result(op, i))));
  dl_op *to = build(cv, name, operands.len, operands.data, types.len, types.data);
  for (size_t i = 0; i < dl_num_results(op); i++) DL_PUSH(&results, dl_result(to, i));
  dl_cv_replace(cv, op, results.len, results.data);
  DL_VEC_FREE(&operands);
  DL_VEC_FREE(&results);
  DL_VEC_FREE(&types);
  return DL_CHANGED;
}

static dl_outcome split(dl_conversion *cv, dl_op *op) {
  if (!is_named(op, "old.split")) return DL_NO_MATCH;
  dl_op *half = build(cv, "middle.half", 0, NULL, 0, NULL);
  dl_set_attr(half, "at", dl_get_attr(op, "at"));
  dl_cv_erase(cv, op);
  return DL_CHANGED;
}

static dl_outcome half(dl_conversion *cv, dl_op *op) {
  if (!is_named(op, "middle.half")) return DL_NO_MATCH;
  if (dl_get_i64(op, "at", 0) == 1) return dl_cv_no_match(cv, "at is 1");
  return rename_op(cv, op, "new.whole");
}

static dl_outcome number(dl_conversion *cv, dl_op *op) {
  return is_named(op, "old.number") ? rename_op(cv, op, "new.number") : DL_NO_MATCH;
}

// The elements of a tuple, as one value each.
static dl_outcome pair(dl_conversion *cv, dl_op *op) {
  if (!is_named(op, "old.pair")) return DL_NO_MATCH;
  dl_type tuple = dl_value_type(dl_result(op, 0));
  dl_value_list elements = {0};
  for (size_t i = 0; i < tuple->num_results; i++) {
    dl_type type = dl_cv_type(cv, tuple->results[i]);
    DL_PUSH(&elements, dl_result(build(cv, "new.element", 0, NULL, 1, &type), 0));
  }
  dl_cv_replace_by_many(cv, op, &elements.len, elements.data);
  DL_VEC_FREE(&elements);
  return DL_CHANGED;
}

static dl_outcome nest(dl_conversion *cv, dl_op *op) {
  if (!is_named(op, "old.nest")) return DL_NO_MATCH;
  int64_t depth = dl_get_i64(op, "depth", 0);
  if (depth == 0) return rename_op(cv, op, "new.leaf");
  dl_op *inner = build(cv, "old.nest", 0, NULL, 0, NULL);
  dl_set_attr(inner, "depth", dl_i64_attr(dl_op_context(op), depth > 0 ? depth - 1 : depth));
  dl_cv_erase(cv, op);
  return DL_CHANGED;
}

static dl_outcome wide_first(dl_conversion *cv, dl_op *op) {
  return is_named(op, "old.wide") ? rename_op(cv, op, "middle.nowhere") : DL_NO_MATCH;
}

static dl_outcome wide_second(dl_conversion *cv, dl_op *op) {
  return is_named(op, "old.wide") ? rename_op(cv, op, "new.wide") : DL_NO_MATCH;
}

static dl_outcome structural(dl_conversion *cv, dl_op *op) {
  bool fits =
      dl_has_trait(op, DL_FUNCTION | DL_CALL | DL_TERMINATOR) || is_named(op, "keep.region");
  return fits ? dl_convert_types_only(cv, op) : DL_NO_MATCH;
}

static bool convert_type(dl_type type, dl_type_list *into, void *user) {
  if (type->kind == DL_TYPE_TUPLE) {
    for (size_t i = 0; i < type->num_results; i++)
      if (!convert_type(type->results[i], into, user)) return false;
    return true;
  }
  bool narrow = dl_is_integer(type) && type->width == 32;
  if (dl_is_float(type) && type->float_kind == DL_F16) return false;
  DL_PUSH(into, narrow ? dl_int_type(type->ctx, 64) : type);
  return true;
}

static const dl_conversion_pattern patterns[] = {
    {.convert = split, .name = "split"},
    {.convert = half, .name = "half"},
    {.convert = number, .name = "number"},
    {.convert = pair, .name = "pair"},
    {.convert = nest, .name = "nest", .recursive = true},
    {.convert = wide_second, .name = "wide_second", .benefit = 1},
    {.convert = wide_first, .name = "wide_first", .benefit = 2},
    {.convert = structural, .name = "structural"},
};

static bool has_legal_types(const dl_conversion *cv, const dl_op *op) {
  bool structural =
      dl_has_trait(op, DL_FUNCTION | DL_CALL | DL_TERMINATOR) || is_named(op, "keep.region");
  return !structural || dl_types_are_legal(cv, op);
}

static const dl_legality_rule rules[] = {
    {.dialect = "old", .legality = DL_ILLEGAL},
    {.dialect = "new", .legality = DL_LEGAL},
    {.dialect = "shelter", .legality = DL_LEGAL, .recursive = true},
    {.dialect = "func", .legality = DL_LEGAL, .holds = has_legal_types},
    {.dialect = "cf", .legality = DL_LEGAL, .holds = has_legal_types},
    {.dialect = "keep", .legality = DL_LEGAL, .holds = has_legal_types},
    {.dialect = "builtin", .legality = DL_LEGAL},
};

static const dl_type_converter with_casts = {convert_type, dl_materialize_unrealized_cast};
static const dl_type_converter without_casts = {convert_type, NULL};

static dl_status run(dl_pass *pass, dl_op *op) {
  bool changed, full = dl_option_bool(pass, "full");
  dl_conversion_config config = {
      .num_rules = DL_COUNT(rules),
      .rules = rules,
      .num_patterns = DL_COUNT(patterns),
      .patterns = patterns,
      .types = dl_option_bool(pass, "casts") ? &with_casts : &without_casts,
  };
  dl_status status = full ? dl_apply_full_conversion(op, &config, &changed)
                          : dl_apply_partial_conversion(op, &config, &changed);
  if (changed) dl_pass_changed(pass);
  // So that tests see that a failure leaves everything as it was.
  return status == DL_OK || !dl_option_bool(pass, "ignore-failure") ? status : DL_OK;
}

static const dl_option_def options[] = {
    {"full", "All ops must be legal", DL_OPTION_BOOL, NULL},
    {"casts", "Let casts between types stay", DL_OPTION_BOOL, "true"},
    {"ignore-failure", "Go on after a failure", DL_OPTION_BOOL, NULL},
};

static const dl_pass_def pass = {.name = "test-convert",
                                 .summary = "Convert the dialect old to new",
                                 .num_options = DL_COUNT(options),
                                 .options = options,
                                 .run = run};
static const dl_pass_def *const passes[] = {&pass};

DL_API const dl_module_def *dl_module_query(uint32_t host_version) {
  static const dl_module_def module = {.version = DL_PLUGIN_VERSION,
                                       .name = "convert",
                                       .num_passes = DL_COUNT(passes),
                                       .passes = passes};
  return host_version == DL_PLUGIN_VERSION ? &module : NULL;
}
