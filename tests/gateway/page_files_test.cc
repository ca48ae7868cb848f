#include "gateway/page_files.h"

#include <gtest/gtest.h>

#include <array>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/pages.h"

namespace sluice {
namespace {

constexpr std::array kPages = {&pages::kChatHtml, &pages::kToyHtml};

// The names that stand in `text` where `pattern` has its group.
std::vector<std::string> named(std::string_view text, const std::string& pattern) {
  const std::regex regex(pattern);
  const std::string copy(text);
  std::vector<std::string> names;
  for (std::sregex_iterator at(copy.begin(), copy.end(), regex), end; at != end; ++at) {
    names.push_back((*at)[1].str());
  }
  return names;
}

TEST(PageFiles, EachIsFoundByItsPathAndNothingElseIs) {
  for (const PageFile& file : page_files()) {
    ASSERT_NE(page_file_at(file.path), nullptr);
    EXPECT_EQ(page_file_at(file.path)->bytes.data(), file.bytes.data());
    EXPECT_FALSE(file.bytes.empty()) << file.path;
  }
  for (const std::string_view path :
       {"", "/", "/pages", "/pages/", "/pages/chat.html", "chat.js"}) {
    EXPECT_EQ(page_file_at(path), nullptr) << path;
  }
}

TEST(PageFiles, WhatPagesAndScriptsNameIsThere) {
  for (const std::string_view* html : kPages) {
    const auto names = named(*html, R"re((?:src|href)="([^"]*)")re");
    EXPECT_GE(names.size(), 4U);
    for (const std::string& name : names) EXPECT_NE(page_file_at("/" + name), nullptr) << name;
  }
  for (const PageFile& file : page_files()) {
    for (const std::string& name : named(file.bytes, R"re(from "\./([^"]*)")re")) {
      EXPECT_NE(page_file_at("/pages/" + name), nullptr) << file.path << " needs " << name;
    }
  }
}

// What the policy forbids would only be noticed in a browser.
TEST(PageFiles, PagesHaveNoInlineScriptOrStyleAndNameNoOtherSite) {
  for (const std::string_view* html : kPages) {
    for (const std::string_view word :
         {"<style", " style=", "<script>", " onclick=", " onload=", "http://", "https://"}) {
      EXPECT_EQ(html->find(word), std::string_view::npos) << word;
    }
  }
  for (const PageFile& file : page_files()) {
    for (const std::string_view word : {"innerHTML", "insertAdjacentHTML", "https://", "@import"}) {
      EXPECT_EQ(file.bytes.find(word), std::string_view::npos) << file.path << " has " << word;
    }
  }
}

// What a stored history is put in place of.
TEST(PageFiles, TheChatPageHasTheMarkersOfTheHistoryOnce) {
  EXPECT_EQ(named(pages::kChatHtml, R"re((data-position=""))re").size(), 1U);
  EXPECT_EQ(named(pages::kChatHtml, R"re(<ol id="log" [^>]*>(<!--history-->)</ol>)re").size(), 1U);
}

}  // namespace
}  // namespace sluice
