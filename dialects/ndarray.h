// dialects/ndarray.h: tensors at run time, as the interpreter takes and returns them.
#ifndef DLIR_DIALECTS_NDARRAY_H
#define DLIR_DIALECTS_NDARRAY_H

#include "ir/attrs.h"
#include "ir/types.h"

// A dense row-major array; elements are stored as dl_element_bytes says. Counted references.
typedef struct dl_ndarray {
  size_t references;
  struct dl_ndarray *base;  // whose data this shares, or NULL when it owns them
  dl_type element;
  size_t rank;
  const int64_t *shape;
  int64_t count;  // elements
  char *data;
} dl_ndarray;

// Zeroed. NULL when the sizes are negative or too large for memory; no diagnostic.
DL_API dl_ndarray *dl_ndarray_create(dl_type element, size_t rank, const int64_t *shape);
// The same elements under another shape with as many of them; shares the data. NULL if the counts
// differ.
DL_API dl_ndarray *dl_ndarray_reshape(dl_ndarray *array, size_t rank, const int64_t *shape);
// A DENSE or RESOURCE attribute of static shape as a new array; NULL if it has no (or too few)
// elements.
DL_API dl_ndarray *dl_ndarray_of_attr(dl_attr dense);
// A new array of the same numbers as elements of another float type; NULL when memory is short.
DL_API dl_ndarray *dl_ndarray_convert(const dl_ndarray *array, dl_type element);
DL_API dl_ndarray *dl_ndarray_retain(dl_ndarray *array);
DL_API void dl_ndarray_release(dl_ndarray *array);  // NULL is allowed
DL_API size_t dl_ndarray_bytes(const dl_ndarray *array);
// Element i in row-major order as a double or int64_t, whatever the element type.
DL_API double dl_ndarray_f64(const dl_ndarray *array, int64_t i);
DL_API int64_t dl_ndarray_i64(const dl_ndarray *array, int64_t i);
// Whether a tensor type admits the array: element type, rank, known sizes.
DL_API bool dl_ndarray_fits(const dl_ndarray *array, dl_type tensor);

#endif
