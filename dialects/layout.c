#include "dialects/layout.h"

#include <ctype.h>

// Letters of the two families in logical order.
static const char *const families[] = {"NCDHW", "OIDHW"};

static dl_status bad_layout(dl_loc loc, dl_str keyword, const char *why) {
  return dl_error(loc, "'%.*s' is no layout: %s", (int)keyword.len, keyword.data, why);
}

static const char *family_of(const char *letters) {
  for (size_t i = 0; i < DL_COUNT(families); i++)
    if (strspn(letters, families[i]) == strlen(letters)) return families[i];
  return NULL;
}

// The logical dimension that a letter names, given all letters used.
static int logical_dim(const char *letters, char letter) {
  if (strchr(letters, 'A')) return letter - 'A';
  const char *family = family_of(letters);
  int dim = 0;
  for (const char *c = family; *c != letter; c++) dim += strchr(letters, *c) != NULL;
  return dim;
}

static dl_status check_letters(dl_loc loc, dl_str keyword, const char *letters) {
  size_t rank = strlen(letters);
  if (rank == 0) return bad_layout(loc, keyword, "it names no dimension");
  if (!strchr(letters, 'A')) {
    if (family_of(letters)) return DL_OK;
    return bad_layout(loc, keyword, "its letters are neither of NCDHW, of OIDHW, nor A, B, C, …");
  }
  for (const char *c = letters; *c; c++)
    if ((size_t)(*c - 'A') >= rank) return bad_layout(loc, keyword, "a dimension is missing");
  return DL_OK;
}

typedef struct layout_token {
  char letter;    // upper case
  int64_t block;  // 0: outer part
} layout_token;

// Splits a keyword into tokens; returns their number, or -1 after a diagnostic.
static int tokenize(dl_loc loc, dl_str keyword, layout_token *tokens) {
  int count = 0;
  for (size_t i = 0; i < keyword.len; count++) {
    int64_t block = 0;
    size_t start = i;
    while (i < keyword.len && isdigit((unsigned char)keyword.data[i]) && block < (1 << 20))
      block = 10 * block + (keyword.data[i++] - '0');
    unsigned char letter = i < keyword.len ? (unsigned char)keyword.data[i] : 0;
    bool numbered = i++ != start;
    if (numbered ? !islower(letter) || block == 0 : !isupper(letter)) {
      bad_layout(loc, keyword, "expected upper-case dimensions and blocks such as 16c");
      return -1;
    }
    if (count == DL_LAYOUT_MAX_DIMS) {
      bad_layout(loc, keyword, "too many dimensions");
      return -1;
    }
    tokens[count] = (layout_token){(char)toupper(letter), block};
  }
  return count;
}

static dl_status collect_letters(dl_loc loc, dl_str keyword, const layout_token *tokens, int count,
                                 char *letters) {
  size_t rank = 0;
  for (int i = 0; i < count; i++) {
    if (tokens[i].block) continue;
    if (memchr(letters, tokens[i].letter, rank))
      return bad_layout(loc, keyword, "a dimension occurs twice");
    letters[rank++] = tokens[i].letter;
  }
  letters[rank] = 0;
  for (int i = 0; i < count; i++)
    if (!strchr(letters, tokens[i].letter))
      return bad_layout(loc, keyword, "a block of a dimension that is not there");
  return check_letters(loc, keyword, letters);
}

dl_status dl_layout_parse(dl_loc loc, dl_str keyword, dl_layout *layout) {
  layout_token tokens[DL_LAYOUT_MAX_DIMS];
  char letters[DL_LAYOUT_MAX_DIMS + 1] = {0};
  int count = tokenize(loc, keyword, tokens);
  if (count < 0) return DL_FAILED;
  DL_TRY(collect_letters(loc, keyword, tokens, count, letters));
  *layout = (dl_layout){.rank = strlen(letters), .num_dims = (size_t)count};
  for (size_t i = 0; i < layout->rank; i++) layout->tile[i] = 1;
  for (int i = count; i-- > 0;) {
    unsigned dim = (unsigned)logical_dim(letters, tokens[i].letter);
    layout->dims[i] = (dl_layout_dim){dim, tokens[i].block, layout->tile[dim]};
    if (tokens[i].block) layout->tile[dim] *= tokens[i].block;
  }
  for (size_t i = 0; i < layout->num_dims; i++)
    if (!layout->dims[i].block && layout->dims[i].below != layout->tile[layout->dims[i].dim])
      return bad_layout(loc, keyword, "a block stands before its dimension");
  return DL_OK;
}

dl_layout dl_layout_row_major(size_t rank) {
  dl_layout layout = {.rank = rank, .num_dims = rank};
  for (size_t i = 0; i < rank; i++) {
    layout.dims[i] = (dl_layout_dim){(unsigned)i, 0, 1};
    layout.tile[i] = 1;
  }
  return layout;
}

bool dl_layout_is_row_major(const dl_layout *layout) {
  if (layout->rank != layout->num_dims) return false;
  for (size_t i = 0; i < layout->rank; i++)
    if (layout->dims[i].dim != i) return false;
  return true;
}

dl_ident dl_type_layout(dl_type tensor) {
  if (!dl_is_tensor(tensor) || !tensor->encoding) return NULL;
  if (!dl_is_dialect_attr(tensor->encoding, "graph", "enc")) return NULL;
  dl_attr layout = dl_keyed_param(tensor->encoding, "layout");
  return layout && layout->kind == DL_ATTR_KEYWORD ? layout->name : NULL;
}

dl_status dl_layout_of_type(dl_loc loc, dl_type tensor, dl_layout *layout) {
  dl_ident keyword = dl_type_layout(tensor);
  if (tensor->rank > DL_LAYOUT_MAX_DIMS)
    return dl_error(loc, "tensors of rank %zu have no layout here (at most %d)", tensor->rank,
                    DL_LAYOUT_MAX_DIMS);
  *layout = dl_layout_row_major(tensor->rank);
  if (!keyword) return DL_OK;
  DL_TRY(dl_layout_parse(loc, dl_str_of(keyword), layout));
  if (layout->rank == tensor->rank) return DL_OK;
  return dl_error(loc, "layout %s has %zu dimensions, but the tensor has %zu", keyword,
                  layout->rank, tensor->rank);
}

dl_type dl_type_with_layout(dl_type tensor, dl_ident layout) {
  dl_context *ctx = tensor->ctx;
  dl_attr old = tensor->encoding;
  bool is_enc = old && dl_is_dialect_attr(old, "graph", "enc");
  size_t old_count = is_enc ? old->count : 0, count = 0;
  dl_attr *params = dl_malloc((old_count + 1) * sizeof(dl_attr));
  for (size_t i = 0; i < old_count; i++)
    if (old->elements[i]->kind != DL_ATTR_KEYED || strcmp(old->elements[i]->name, "layout") != 0)
      params[count++] = old->elements[i];
  if (layout)
    params[count++] = dl_keyed_attr(ctx, dl_intern_z(ctx, "layout"), dl_keyword_attr(ctx, layout));
  dl_attr encoding = NULL;
  if (count)
    encoding =
        dl_dialect_attr(ctx, dl_intern_z(ctx, "graph"), dl_intern_z(ctx, "enc"), count, params);
  free(params);
  return dl_tensor_type(tensor->element, tensor->rank, tensor->shape, encoding);
}

dl_map dl_layout_map(dl_context *ctx, const dl_layout *layout) {
  dl_expr results[DL_LAYOUT_MAX_DIMS];
  for (size_t i = 0; i < layout->num_dims; i++) {
    const dl_layout_dim *d = &layout->dims[i];
    dl_expr outer = dl_expr_floordiv(dl_expr_dim(ctx, d->dim), dl_expr_const(ctx, d->below));
    results[i] = d->block ? dl_expr_mod(outer, dl_expr_const(ctx, d->block)) : outer;
  }
  return dl_affine_map(ctx, (unsigned)layout->rank, 0, layout->num_dims, results);
}

void dl_layout_sizes(const dl_layout *layout, const dl_expr *logical, dl_expr *stored) {
  for (size_t i = 0; i < layout->num_dims; i++) {
    const dl_layout_dim *d = &layout->dims[i];
    dl_context *ctx = logical[d->dim]->ctx;
    stored[i] = d->block ? dl_expr_const(ctx, d->block)
                         : dl_expr_ceildiv(logical[d->dim], dl_expr_const(ctx, d->below));
  }
}

dl_type dl_layout_stored_type(const dl_layout *layout, dl_type logical) {
  int64_t shape[DL_LAYOUT_MAX_DIMS];
  for (size_t i = 0; i < layout->num_dims; i++) {
    const dl_layout_dim *d = &layout->dims[i];
    int64_t size = logical->shape[d->dim];
    if (d->block)
      shape[i] = d->block;
    else
      shape[i] = size == DL_DYNAMIC ? DL_DYNAMIC : (size + d->below - 1) / d->below;
  }
  return dl_tensor_type(logical->element, layout->num_dims, shape, NULL);
}
