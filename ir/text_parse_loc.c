// Parsing of locations.

#include "ir/text_internal.h"

typedef DL_VEC(dl_loc) loc_vec;

static dl_status parse_range_end(dl_parser *p, uint64_t line, uint64_t *end_line,
                                 uint64_t *end_column) {
  *end_line = line;
  if (!dl_at_punct(p, ':')) DL_TRY(dl_parse_unsigned(p, end_line));
  DL_TRY(dl_p_expect(p, ":"));
  return dl_parse_unsigned(p, end_column);
}

static dl_status parse_file(dl_parser *p, dl_ident path, dl_loc *loc) {
  uint64_t line, column, end_line, end_column;
  DL_TRY(dl_parse_unsigned(p, &line));
  DL_TRY(dl_p_expect(p, ":"));
  DL_TRY(dl_parse_unsigned(p, &column));
  if (!dl_p_accept_keyword(p, "to")) {
    *loc = dl_loc_file(p->ctx, path, line, column);
    return DL_OK;
  }
  DL_TRY(parse_range_end(p, line, &end_line, &end_column));
  *loc = dl_loc_file_range(p->ctx, path, line, column, end_line, end_column);
  return DL_OK;
}

// "path":line:col or "name" or "name"(child).
static dl_status parse_file_or_name(dl_parser *p, dl_loc *loc) {
  dl_ident name;
  dl_loc child = NULL;
  DL_TRY(dl_parse_name_string(p, &name));
  if (dl_accept_punct(p, ':')) return parse_file(p, name, loc);
  if (dl_accept_punct(p, '(')) {
    DL_TRY(dl_parse_loc_instance(p, &child));
    DL_TRY(dl_p_expect(p, ")"));
  }
  *loc = dl_loc_name(p->ctx, name, child);
  return DL_OK;
}

static dl_status parse_callsite(dl_parser *p, dl_loc *loc) {
  dl_loc callee, caller;
  DL_TRY(dl_p_expect(p, "("));
  DL_TRY(dl_parse_loc_instance(p, &callee));
  DL_TRY(dl_p_expect_keyword(p, "at"));
  DL_TRY(dl_parse_loc_instance(p, &caller));
  *loc = dl_loc_callsite(p->ctx, callee, caller);
  return dl_p_expect(p, ")");
}

static dl_status parse_fused_parts(dl_parser *p, loc_vec *parts, dl_attr *metadata) {
  if (dl_p_accept(p, "<")) {
    DL_TRY(dl_parse_attr(p, NULL, metadata));
    DL_TRY(dl_p_expect(p, ">"));
  }
  DL_TRY(dl_p_expect(p, "["));
  if (dl_p_accept(p, "]")) return DL_OK;
  do {
    dl_loc part;
    DL_TRY(dl_parse_loc_instance(p, &part));
    DL_PUSH(parts, part);
  } while (dl_accept_punct(p, ','));
  return dl_p_expect(p, "]");
}

static dl_status parse_fused(dl_parser *p, dl_loc *loc) {
  loc_vec parts = {0};
  dl_attr metadata = NULL;
  dl_status status = parse_fused_parts(p, &parts, &metadata);
  if (status == DL_OK) *loc = dl_loc_fused(p->ctx, parts.len, parts.data, metadata);
  DL_VEC_FREE(&parts);
  return status;
}

static dl_status parse_loc_alias(dl_parser *p, dl_loc *loc) {
  dl_checkpoint start = dl_save(p);
  dl_attr attr;
  DL_TRY(dl_parse_attr(p, NULL, &attr));
  if (attr->kind != DL_ATTR_LOC) {
    dl_restore(p, start);
    return dl_p_error(p, "this attribute is no location");
  }
  *loc = attr->loc;
  return DL_OK;
}

static dl_status parse_loc_here(dl_parser *p, dl_loc *loc) {
  if (p->token.kind == DL_TOK_STRING) return parse_file_or_name(p, loc);
  if (p->token.kind == DL_TOK_HASH) return parse_loc_alias(p, loc);
  if (dl_p_accept_keyword(p, "callsite")) return parse_callsite(p, loc);
  if (dl_p_accept_keyword(p, "fused")) return parse_fused(p, loc);
  if (!dl_p_accept_keyword(p, "unknown")) return dl_p_error(p, "expected a location");
  *loc = dl_loc_unknown(p->ctx);
  return DL_OK;
}

dl_status dl_parse_loc_instance(dl_parser *p, dl_loc *loc) {
  DL_TRY(dl_enter(p));
  dl_status status = parse_loc_here(p, loc);
  dl_leave(p);
  return status;
}

// An alias that is not known yet may be defined later in the file.
static bool at_unknown_alias(dl_parser *p, dl_ident *alias) {
  if (p->token.kind != DL_TOK_HASH) return false;
  *alias = dl_intern(p->ctx, (dl_str){p->token.text + 1, p->token.len - 1});
  return !strchr(*alias, '.') && !dl_ptr_map_has(&p->attr_aliases, *alias);
}

dl_status dl_parse_trailing_loc(dl_parser *p, dl_loc *loc, dl_ident *deferred) {
  *deferred = NULL;
  if (!dl_at_keyword(p, "loc")) return DL_OK;
  dl_advance(p);
  DL_TRY(dl_p_expect(p, "("));
  dl_ident alias;
  if (at_unknown_alias(p, &alias)) {
    *deferred = alias;
    dl_advance(p);
  } else {
    DL_TRY(dl_parse_loc_instance(p, loc));
  }
  return dl_p_expect(p, ")");
}
