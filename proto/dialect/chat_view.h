// A message of the group chat as people see it in a page.
//
// What people wrote is never markup: everything that comes from a message is escaped here, whatever
// it is, and so are values of kinds that no client should send.
#pragma once

#include <string>
#include <string_view>

namespace sluice::dialect {

// Appends `text` with the characters that mean something in HTML as references; good between tags
// and in a quoted attribute.
void append_html_escaped(std::string& out, std::string_view text);

// Appends one item of the page's list:
//   <li><b>NICKNAME</b><span>MESSAGE</span><time>CUR_TIME</time></li>
// without <time> where the message has no cur_time; with class="robot" where a robot speaks.
// REQUIRES: `message` was accepted by json::scan.
void append_chat_item(std::string& out, std::string_view message);

}  // namespace sluice::dialect
