// weights.h: weights in a file beside the library. The file is a header in a page of its own,
// followed by the weights as they are to lie in memory: it is mapped, not read.
#ifndef DLIR_RUNTIME_WEIGHTS_H
#define DLIR_RUNTIME_WEIGHTS_H

#include "targets/runtime/session.h"

#define DLRT_WEIGHTS_MAGIC "DLIRWTS1"
#define DLRT_WEIGHTS_OFFSET 4096

typedef struct dlrt_weights_header {
  char magic[8];
  uint64_t size;      // of the weights
  uint64_t checksum;  // of the weights
} dlrt_weights_header;

// A checksum of 64-byte blocks, computed at memory's speed; it finds damage, not forgery.
typedef struct dlrt_checksum {
  uint64_t lanes[8];
} dlrt_checksum;

// Adds bytes, which zeros fill up to a multiple of 64.
void dlrt_checksum_add(dlrt_checksum *sum, const void *bytes, size_t size);
uint64_t dlrt_checksum_value(const dlrt_checksum *sum);

// Sets session->run.weights; maps and checks the program's weights file, if it has one.
dlir_status dlrt_weights_open(dlir_session *session);
void dlrt_weights_close(dlir_session *session);

#endif
