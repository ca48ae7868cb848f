#include "gateway/config/http_url.h"

#include <curl/curl.h>

#include <memory>
#include <string_view>

namespace sluice {
namespace {

constexpr const char* kUrlRemedy = "write http://HOST:PORT/PATH or https://HOST/PATH";

struct UrlDeleter {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct TextDeleter {
  void operator()(char* text) const noexcept { curl_free(text); }
};

}  // namespace

std::optional<std::string> http_url_fault(const std::string& url) {
  const std::unique_ptr<CURLU, UrlDeleter> parsed(curl_url());
  char* scheme = nullptr;
  if (parsed == nullptr || url.find('\0') != std::string::npos ||
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
    return std::string("no URL; ") + kUrlRemedy;
  }
  const std::unique_ptr<char, TextDeleter> owned(scheme);
  if (std::string_view(scheme) == "http" || std::string_view(scheme) == "https") {
    return std::nullopt;
  }
  return std::string("neither http nor https; ") + kUrlRemedy;
}

}  // namespace sluice
