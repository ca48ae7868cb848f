#include "gateway/publication.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/ws/message_reader.h"

namespace sluice {
namespace {

// Every form of a frame's length, on both sides of where it changes.
constexpr std::size_t kSizes[] = {0, 1, 125, 126, 127, 65535, 65536, 200'000};

class PublicationTest : public testing::Test {
 protected:
  ~PublicationTest() override { EXPECT_EQ(pool_.live(), 0u); }

  // What a client reads from these bytes if they are one text frame; else what it is instead.
  std::string read_as_client(ConstBytes frame) {
    std::vector<std::byte> bytes(frame.begin(), frame.end());
    bytes.resize(frame.size() + kReadSlack);
    const ws::ReaderContext context{ws::Role::kClient, {1u << 24, 1}, Simd::detect(), &blocks_};
    ws::MessageReader reader(context);
    Bytes input = Bytes(bytes).first(frame.size());
    const ws::Event event = reader.next(input);
    if (event.kind != ws::EventKind::kText) return "no text";
    if (!input.empty()) return "text and more";
    return std::string(as_text(event.payload));
  }

  BlockPool blocks_;
  PayloadPool pool_{blocks_, 0};
};

TEST_F(PublicationTest, GivesBackNameAndDataOfAnySize) {
  for (const std::size_t size : kSizes) {
    for (const std::string& name :
         {std::string("c"), std::string("\xffs") + "U1", std::string(300, 'n'),
          std::string(PublicationView::kHeadBytesMax - 2, 'N')}) {
      const std::string data(size, 'd');
      const Publication publication = make_publication(pool_, name, {as_bytes(data)});
      EXPECT_EQ(publication.channel(), name);
      EXPECT_EQ(as_text(publication.data()), data) << size << " behind " << name.size();
      pool_.drop(*publication.payload);
    }
  }
}

TEST_F(PublicationTest, CarriesExtrasThatNobodyPaysForWithoutThem) {
  const PublicationExtras extras{R"({"user":"u"})", R"({"k":"v"})", "id-1", "key"};
  const Publication with =
      make_publication(pool_, "c", {as_bytes("data"), ws::Opcode::kBinary, extras});
  const Publication without = make_publication(pool_, "c", {as_bytes("data")});
  EXPECT_EQ(with.extras(), extras);
  EXPECT_EQ(with.channel(), "c");
  EXPECT_EQ(as_text(with.data()), "data");
  EXPECT_EQ(with.view().opcode(), ws::Opcode::kBinary);
  EXPECT_EQ(without.extras(), PublicationExtras{});
  EXPECT_EQ(without.view().opcode(), ws::Opcode::kText);
  EXPECT_EQ(without.frame_at, 3u);
  pool_.drop(*with.payload);
  pool_.drop(*without.payload);
}

TEST_F(PublicationTest, KnowsWhatFitsInFrontOfTheFrame) {
  const std::string most(PublicationView::kHeadBytesMax - 1 - 3 - 2, 't');
  EXPECT_TRUE(fits_in_head("c", {{}, most, {}, {}}));
  EXPECT_FALSE(fits_in_head("cc", {{}, most, {}, {}}));
  EXPECT_FALSE(fits_in_head("c", {{}, most, {}, "k"}));
}

TEST_F(PublicationTest, IsKnownAgainByChannelAndKey) {
  const auto keyed = [this](std::string_view channel, std::string_view key, std::string_view id) {
    return make_publication(pool_, channel,
                            {as_bytes("data"), ws::Opcode::kText, {{}, {}, id, key}});
  };
  const std::vector<Publication> all = {keyed("c", "k", {}), keyed("c", "k", "id"),
                                        keyed("c", "l", {}), keyed("d", "k", {}),
                                        keyed("c", {}, {})};
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(are_of_one_key(all[0].view(), all[i].view()), i == 1) << i;
    EXPECT_EQ(conflation_mark(all[i]) == 0, i == 4) << i;
  }
  EXPECT_EQ(conflation_mark(all[0]), conflation_mark(all[1]));
  for (const Publication& publication : all) pool_.drop(*publication.payload);
  for (int i = 0; i < 1000; ++i) {
    const Publication publication = keyed("c", "key" + std::to_string(i), {});
    EXPECT_NE(conflation_mark(publication), 0);
    pool_.drop(*publication.payload);
  }
}

TEST_F(PublicationTest, EndsInATextFrameOfTheData) {
  for (const std::size_t size : kSizes) {
    const std::string data(size, 'd');
    const Publication publication = make_publication(pool_, "channel", {as_bytes(data)});
    const ConstBytes frame = publication.payload->bytes.subspan(publication.frame_at);
    EXPECT_EQ(read_as_client(frame), data);
    pool_.drop(*publication.payload);
  }
}

TEST_F(PublicationTest, KeepsACopyOfTheData) {
  std::string name = "name";
  std::string data = "data";
  const Publication publication = make_publication(pool_, name, {as_bytes(data)});
  name = "else";
  data = "else";
  EXPECT_EQ(publication.channel(), "name");
  EXPECT_EQ(as_text(publication.data()), "data");
  pool_.drop(*publication.payload);
}

TEST_F(PublicationTest, HasOneReference) {
  const Publication publication = make_publication(pool_, "name", {as_bytes("data")});
  EXPECT_EQ(publication.payload->references, 1u);
  pool_.drop(*publication.payload);
  EXPECT_EQ(pool_.live(), 0u);
}

TEST_F(PublicationTest, ATextFrameIsNothingButTheFrame) {
  for (const std::size_t size : kSizes) {
    const std::string text(size, 't');
    Payload& payload = make_text_frame(pool_, text);
    EXPECT_EQ(payload.references, 1u);
    EXPECT_EQ(read_as_client(payload.bytes), text);
    pool_.drop(payload);
  }
}

}  // namespace
}  // namespace sluice
