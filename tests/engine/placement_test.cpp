// Where rows lie in a batch: linked rows in one part, the others wherever there is room.
#include "engine/placement.h"

#include <gtest/gtest.h>

namespace roundtrip::engine {
namespace {

TEST(Placement, FillsABatchInOrder) {
  Placement batch(4, 1);
  EXPECT_EQ(batch.place(1, false), Slots{0});
  EXPECT_EQ(batch.place(3, true), (Slots{1, 2, 3}));
  EXPECT_TRUE(batch.full());
  EXPECT_EQ(batch.place(1, false), std::nullopt);
  EXPECT_EQ(batch.placed(), 4);
}

TEST(Placement, LinkedRowsNeverCrossTheBorderOfAPart) {
  Placement batch(8, 2);
  EXPECT_EQ(batch.place(3, true), (Slots{0, 1, 2}));
  EXPECT_EQ(batch.place(3, true), (Slots{4, 5, 6}));
  EXPECT_EQ(batch.place(2, true), std::nullopt);
  EXPECT_EQ(batch.place(2, false), (Slots{3, 7}));  // rows that nothing links fill both gaps
  EXPECT_TRUE(batch.full());
}

TEST(Placement, WithoutLinksPartsChangeNothing) {
  Placement whole(16, 1), cut(16, 2);
  for (const int64_t rows : {3, 2, 5, 1, 4, 1}) EXPECT_EQ(whole.place(rows, false), cut.place(rows, false));
}

TEST(Placement, OneThatFitsNowhereIsPlacedAloneIfItIsTheFirst) {
  Placement larger_than_a_part(4, 2), larger_than_a_batch(4, 1);
  EXPECT_EQ(larger_than_a_part.place(3, true), (Slots{0, 1, 2}));
  EXPECT_TRUE(larger_than_a_part.full());
  EXPECT_EQ(larger_than_a_batch.place(6, false), (Slots{0, 1, 2, 3, 4, 5}));
  Placement begun(4, 2);
  begun.place(1, false);
  EXPECT_EQ(begun.place(3, true), std::nullopt);
}

}  // namespace
}  // namespace roundtrip::engine
