#include "ir/suggest.h"

#include <criterion/criterion.h>

static size_t distance(const char *a, const char *b) {
  return dl_edit_distance(dl_str_of(a), dl_str_of(b), 100);
}

Test(suggest, counts_edits) {
  cr_assert_eq(distance("", ""), 0);
  cr_assert_eq(distance("cse", ""), 3);
  cr_assert_eq(distance("cse", "cse"), 0);
  cr_assert_eq(distance("cse", "dce"), 2);
  cr_assert_eq(distance("kitten", "sitting"), 3);
}

Test(suggest, swapping_neighbours_is_one_edit) { cr_assert_eq(distance("csu", "cus"), 1); }

Test(suggest, stops_at_the_limit) {
  cr_assert_eq(dl_edit_distance(DL_STR("abcdef"), DL_STR("uvwxyz"), 3), 3);
}

Test(suggest, takes_the_nearest) {
  dl_suggestion near = dl_suggest(DL_STR("canonicalise"));
  dl_suggest_offer(&near, "cse");
  dl_suggest_offer(&near, "canonicalize");
  dl_suggest_offer(&near, "symbol-dce");
  cr_assert_str_eq(near.best, "canonicalize");
}

Test(suggest, offers_nothing_far_away) {
  dl_suggestion near = dl_suggest(DL_STR("x"));
  dl_suggest_offer(&near, "canonicalize");
  cr_assert_null(near.best);
}
