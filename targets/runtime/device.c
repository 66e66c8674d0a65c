#include "targets/runtime/device.h"

#include <stdlib.h>
#include <string.h>

// `memory` has room for `capacity` bytes; the first `bytes` mirror those at `host`.
typedef struct region {
  const char *host;
  uint64_t bytes, capacity;
  void *memory;
} region;

struct dlrt_device {
  const dlrt_driver *driver;
  void *handle;
  size_t num_regions;
  region *regions;     // WEIGHTS, ARENA, the bump region's chunks, then the inputs
  dlrt_place *places;  // of the arguments of the launch at hand
};

enum { WEIGHTS, ARENA, CHUNKS, INPUTS = CHUNKS + DLRT_MAX_CHUNKS };

// --- regions ---

static dlir_status map(dlir_session *s, size_t index, const void *host, uint64_t bytes) {
  dlrt_device *d = s->device;
  region *r = &d->regions[index];
  r->host = host;
  r->bytes = bytes;
  if (bytes <= r->capacity) return DLIR_OK;
  d->driver->release(d->handle, r->memory);
  r->memory = NULL;
  r->capacity = 0;
  dlir_status status = d->driver->allocate(d->handle, bytes, &r->memory);
  if (!status) r->capacity = bytes;
  return status;
}

static dlir_status send(dlir_session *s, const region *r) {
  if (!r->bytes) return DLIR_OK;
  return s->device->driver->write(s->device->handle, (dlrt_place){r->memory, 0}, r->host, r->bytes);
}

// Inputs may overlap each other: the region that reaches furthest beyond the address has all that
// can be meant.
static bool find(const dlrt_device *d, const char *address, dlrt_place *place) {
  const region *best = NULL;
  uint64_t room = 0;
  for (size_t i = 0; i < d->num_regions; i++) {
    const region *r = &d->regions[i];
    if (!r->host || address < r->host || address > r->host + r->bytes) continue;
    uint64_t after = r->bytes - (uint64_t)(address - r->host);
    if (best && after <= room) continue;
    best = r;
    room = after;
  }
  if (best) *place = (dlrt_place){best->memory, (uint64_t)(address - best->host)};
  return best != NULL;
}

static void require(dlir_session *s, dlir_status status) {
  if (status) dlrt_stop(s, status);
}

static dlrt_place place_of(dlir_session *s, const void *address) {
  dlrt_place place = {0};
  if (!find(s->device, address, &place))
    require(s,
            dlrt_fail(s, DLIR_SYSTEM_ERROR, "an address that the device's memory does not have"));
  return place;
}

// --- opening and closing ---

static size_t most_arguments(const dlrt_program *program) {
  size_t most = 0;
  for (uint64_t i = 0; i < program->num_launches; i++) {
    size_t count = strlen(program->device->launches[i].arguments);
    most = count > most ? count : most;
  }
  return most;
}

dlir_status dlrt_device_open(dlir_session *s) {
  const dlrt_program *program = s->program;
  dlrt_device *d = s->device = calloc(1, sizeof(*d));
  if (!d) return dlrt_fail(s, DLIR_OUT_OF_MEMORY, "out of memory");
  d->driver = program->device->driver;
  d->num_regions = INPUTS + s->model->num_inputs;
  d->regions = calloc(d->num_regions, sizeof(*d->regions));
  d->places = calloc(most_arguments(program) + 1, sizeof(*d->places));
  if (!d->regions || !d->places) return dlrt_fail(s, DLIR_OUT_OF_MEMORY, "out of memory");
  dlir_status status = d->driver->open(s, program->device, program->num_launches, &d->handle);
  if (!status) status = map(s, WEIGHTS, s->run.weights, program->weights_size);
  return status ? status : send(s, &d->regions[WEIGHTS]);
}

void dlrt_device_close(dlir_session *s) {
  dlrt_device *d = s->device;
  if (!d) return;
  for (size_t i = 0; d->regions && i < d->num_regions; i++)
    if (d->regions[i].memory) d->driver->release(d->handle, d->regions[i].memory);
  if (d->handle) d->driver->close(d->handle);
  free(d->regions);
  free(d->places);
  free(d);
}

const char *dlrt_device_name(const dlir_session *s) {
  return s->device->driver->name(s->device->handle);
}

// --- runs ---

static uint64_t bytes_of(DLDataType dtype, int32_t rank, const int64_t *shape) {
  uint64_t bytes = (dtype.bits + 7u) / 8u;
  for (int32_t i = 0; i < rank; i++) bytes *= (uint64_t)shape[i];
  return bytes;
}

void dlrt_device_begin(dlir_session *s) {
  const int64_t *next = s->dims;
  for (size_t i = 0; i < s->model->num_inputs; i++) {
    const dlir_value_info *info = &s->model->inputs[i];
    uint64_t bytes = (info->dtype.bits + 7u) / 8u;
    for (int32_t d = 0; d < info->rank; d++)
      bytes *= (uint64_t)(info->shape[d] >= 0 ? info->shape[d] : *next++);
    require(s, map(s, INPUTS + i, s->inputs[i], bytes));
    require(s, send(s, &s->device->regions[INPUTS + i]));
  }
}

void dlrt_device_end(dlir_session *s) {
  for (size_t i = 0; i < s->model->num_outputs; i++) {
    const DLTensor *t = &s->results[i];
    dlrt_fetch(&s->run, t->data, (int64_t)bytes_of(t->dtype, t->ndim, t->shape));
  }
}

void dlrt_device_map_arena(dlir_session *s) {
  require(s, map(s, ARENA, s->arena.data, s->arena.capacity));
}

void dlrt_device_map_chunk(dlir_session *s) {
  size_t current = s->bump.current;
  const dlrt_block *chunk = &s->bump.chunks[current];
  require(s, map(s, CHUNKS + current, chunk->data, chunk->capacity));
}

void dlrt_device_run(dlir_session *s, uint64_t launch, const uint64_t *slots,
                     uint64_t *nanoseconds) {
  dlrt_device *d = s->device;
  const char *arguments = s->program->device->launches[launch].arguments;
  for (size_t i = 0; arguments[i]; i++)
    if (arguments[i] == 'p') d->places[i] = place_of(s, (const void *)(uintptr_t)slots[i]);
  require(s, d->driver->launch(d->handle, launch, slots, d->places, nanoseconds));
}

// --- what compiled main functions call ---

void dlrt_fetch(dlrt_run *run, void *address, int64_t bytes) {
  dlir_session *s = dlrt_session_of(run);
  if (bytes <= 0) return;
  require(s, s->device->driver->read(s->device->handle, place_of(s, address), address,
                                     (uint64_t)bytes));
}

void dlrt_send(dlrt_run *run, const void *address, int64_t bytes) {
  dlir_session *s = dlrt_session_of(run);
  if (bytes <= 0) return;
  require(s, s->device->driver->write(s->device->handle, place_of(s, address), address,
                                      (uint64_t)bytes));
}

void dlrt_copy(dlrt_run *run, const void *from, void *to, int64_t bytes) {
  dlir_session *s = dlrt_session_of(run);
  if (bytes <= 0) return;
  require(s, s->device->driver->copy(s->device->handle, place_of(s, from), place_of(s, to),
                                     (uint64_t)bytes));
}
