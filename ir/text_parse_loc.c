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

// --- aliases: #loc, #loc0, #loc1, … by number, since tools that print them print one for each op
// ---

enum { NUMBERS_SLACK = 4096, MAX_DIGITS = 9 };

// The place in loc_aliases: 0 for #loc, 1 + n for #locn.
static bool alias_number(dl_str name, size_t *number) {
  if (name.len < 3 || name.len > 3 + MAX_DIGITS || memcmp(name.data, "loc", 3)) return false;
  if (name.len > 4 && name.data[3] == '0') return false;
  size_t value = 0;
  for (size_t i = 3; i < name.len; i++) {
    if (name.data[i] < '0' || name.data[i] > '9') return false;
    value = 10 * value + (size_t)(name.data[i] - '0');
  }
  *number = name.len == 3 ? 0 : value + 1;
  return true;
}

static void set_alias(dl_parser *p, dl_str name, dl_place place) {
  size_t number;
  if (alias_number(name, &number) && number < 2 * p->loc_aliases.len + NUMBERS_SLACK) {
    while (p->loc_aliases.len <= number) DL_PUSH(&p->loc_aliases, 0);
    p->loc_aliases.data[number] = place;
    return;
  }
  dl_set_attr_alias(p, name, dl_loc_attr(dl_place_loc(p->ctx, place)));
}

void dl_set_attr_alias(dl_parser *p, dl_str name, dl_attr attr) {
  size_t number;
  p->named_locs |= alias_number(name, &number);
  dl_ptr_map_set(&p->attr_aliases, dl_intern(p->ctx, name), (void *)attr);
}

// What is not among the numbers. Names like those are looked up only if some are here.
static dl_attr find_named(dl_parser *p, dl_str name) {
  size_t number;
  if (!p->named_locs && alias_number(name, &number)) return NULL;
  return dl_ptr_map_get(&p->attr_aliases, dl_intern(p->ctx, name));
}

bool dl_find_loc_alias(dl_parser *p, dl_str name, dl_place *place) {
  size_t number;
  if (alias_number(name, &number) && number < p->loc_aliases.len && p->loc_aliases.data[number]) {
    *place = p->loc_aliases.data[number];
    return true;
  }
  dl_attr attr = find_named(p, name);
  if (!attr || attr->kind != DL_ATTR_LOC) return false;
  *place = dl_place_of(attr->loc);
  return true;
}

dl_attr dl_find_attr_alias(dl_parser *p, dl_str name) {
  dl_place place;
  dl_attr attr = find_named(p, name);
  if (attr || !dl_find_loc_alias(p, name, &place)) return attr;
  return dl_loc_attr(dl_place_loc(p->ctx, place));
}

static dl_status parse_alias_use(dl_parser *p, dl_loc *loc) {
  dl_place place;
  if (dl_find_loc_alias(p, (dl_str){p->token.text + 1, p->token.len - 1}, &place)) {
    *loc = dl_place_loc(p->ctx, place);
    dl_advance(p);
    return DL_OK;
  }
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
  if (p->token.kind == DL_TOK_HASH) return parse_alias_use(p, loc);
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

// --- loc(…) ---

static bool digits(const char **at, const char *end, uint64_t *value) {
  const char *start = *at;
  *value = 0;
  for (; *at < end && **at >= '0' && **at <= '9'; ++*at)
    *value = 10 * *value + (uint64_t)(**at - '0');
  return *at > start && *at - start <= MAX_DIGITS;
}

// ("path":line:column), the usual form, straight from the bytes after `loc`; false when it is
// anything else.
static bool parse_plain(dl_parser *p, dl_place *place) {
  const char *at = p->lexer.cursor, *end = p->lexer.end;
  uint64_t line, column;
  if (end - at < 2 || at[0] != '(' || at[1] != '"') return false;
  const char *path = at + 2;
  for (at = path; at < end && *at != '"'; at++)
    if (*at == '\\' || *at < ' ' || at - path >= DL_MAX_CACHED) return false;
  size_t len = (size_t)(at - path);
  if (end - at < 2 || *++at != ':') return false;
  at++;
  if (!digits(&at, end, &line) || at == end || *at++ != ':') return false;
  if (!digits(&at, end, &column) || at == end || *at++ != ')') return false;
  dl_ident name = dl_parse_intern(p, (dl_str){path, len});
  uint32_t index = dl_path_index(p->ctx, name);
  *place = index == DL_NO_PATH ? dl_place_of(dl_loc_file(p->ctx, name, line, column))
                               : dl_place_file(p->ctx, index, line, column);
  p->lexer.cursor = at;
  dl_advance(p);
  return true;
}

// An alias that is not known yet may be defined later in the file.
static bool at_unknown_alias(dl_parser *p) {
  dl_str name = {p->token.text + 1, p->token.len - 1};
  dl_place place;
  if (p->token.kind != DL_TOK_HASH || memchr(name.data, '.', name.len)) return false;
  return !dl_find_loc_alias(p, name, &place) && !find_named(p, name);
}

static dl_status parse_parentheses(dl_parser *p, dl_place *place, dl_position *deferred) {
  DL_TRY(dl_p_expect(p, "("));
  if (at_unknown_alias(p)) {
    *deferred = p->token.text;
    dl_advance(p);
  } else {
    dl_loc loc;
    DL_TRY(dl_parse_loc_instance(p, &loc));
    *place = dl_place_of(loc);
  }
  return dl_p_expect(p, ")");
}

dl_status dl_parse_trailing_loc(dl_parser *p, dl_place *place, dl_position *deferred) {
  *deferred = NULL;
  if (!dl_at_keyword(p, "loc")) return DL_OK;
  if (parse_plain(p, place)) return DL_OK;
  dl_advance(p);
  return parse_parentheses(p, place, deferred);
}

static dl_status parse_alias_place(dl_parser *p, dl_place *place) {
  dl_attr attr;
  if (parse_plain(p, place)) return DL_OK;
  DL_TRY(dl_parse_attr(p, NULL, &attr));
  *place = dl_place_of(attr->loc);
  return DL_OK;
}

dl_status dl_parse_loc_alias(dl_parser *p, dl_str name) {
  dl_place place;
  DL_TRY(parse_alias_place(p, &place));
  set_alias(p, name, place);
  return DL_OK;
}
