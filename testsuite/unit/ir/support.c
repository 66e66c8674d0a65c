#include <criterion/criterion.h>

#include "ir/base.h"

Test(support, buffers_grow) {
  dl_buffer buffer = {0};
  for (int i = 0; i < 100; i++) dl_buffer_printf(&buffer, "%d,", i);
  cr_assert_eq(buffer.len, strlen(buffer.data));
  cr_assert_eq(strncmp(buffer.data, "0,1,2,", 6), 0);
  dl_buffer_free(&buffer);
}

Test(support, pointer_maps_keep_entries_across_removal) {
  static char keys[1000];
  dl_ptr_map map = {0};
  for (size_t i = 0; i < 1000; i++) dl_ptr_map_set(&map, &keys[i], &keys[999 - i]);
  for (size_t i = 0; i < 1000; i += 3) dl_ptr_map_remove(&map, &keys[i]);
  for (size_t i = 0; i < 1000; i++) {
    cr_assert_eq(dl_ptr_map_has(&map, &keys[i]), i % 3 != 0);
    if (i % 3) cr_assert_eq(dl_ptr_map_get(&map, &keys[i]), &keys[999 - i]);
  }
  cr_assert_eq(map.len, 666);
  dl_ptr_map_free(&map);
}

Test(support, arenas_give_zeroed_memory) {
  dl_arena *arena = dl_arena_create();
  for (size_t size = 1; size < 1 << 20; size *= 3) {
    char *memory = dl_arena_alloc(arena, size);
    cr_assert_eq((uintptr_t)memory % 16, 0);
    for (size_t i = 0; i < size; i++) cr_assert_eq(memory[i], 0);
    memset(memory, 1, size);
  }
  cr_assert_str_eq(dl_arena_copy_str(arena, (dl_str){"abcdef", 3}), "abc");
  dl_arena_destroy(arena);
}
