# What every folder's CMakeLists.txt shares: flags, and targets made from whatever sources are there.

# Warnings and include root. Linked PRIVATE to our own targets, so nobody inherits our warnings.
add_library(sluice_flags INTERFACE)
target_compile_options(sluice_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion)
if(SLUICE_WERROR)
  target_compile_options(sluice_flags INTERFACE -Werror)
endif()
if(SLUICE_DEBUG_CHECKS)
  # For everybody at once: a header's SLUICE_DCHECK must mean the same in every translation unit.
  add_compile_definitions(SLUICE_DEBUG_CHECKS)
endif()
include_directories("${CMAKE_SOURCE_DIR}" "${CMAKE_BINARY_DIR}/generated")

if(SLUICE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(SLUICE_CCACHE_PROGRAM ccache)
  if(SLUICE_CCACHE_PROGRAM)
    # Build folders share results: the working directory is kept out of the hash.
    set(CMAKE_CXX_COMPILER_LAUNCHER env
      CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros "${SLUICE_CCACHE_PROGRAM}")
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  # What ccache needs to take a precompiled header for unchanged.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
endif()

# What most sources parse again and again, parsed once: it halves the time of a build. That every header
# still includes what it uses is checked by the target header_check, which does not see these.
set(SLUICE_COMMON_HEADERS
  <absl/container/btree_map.h> <absl/container/flat_hash_map.h> <algorithm> <array> <atomic> <charconv>
  <chrono> <cstdint> <cstring> <functional> <memory> <optional> <span> <string> <string_view>
  <system_error> <tl/expected.hpp> <utility> <vector>)

# sluice_precompile(<target>): the first target owns the precompiled header, the others use it.
function(sluice_precompile target)
  get_property(owner GLOBAL PROPERTY SLUICE_PRECOMPILE_OWNER)
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    target_precompile_headers(${target} PRIVATE ${SLUICE_COMMON_HEADERS})
    set_property(GLOBAL PROPERTY SLUICE_PRECOMPILE_OWNER ${target})
  endif()
endfunction()

# sluice_unoptimized(<source>...): files that read a command line with CLI11, whose templates take the
# optimizer minutes and save a start microseconds. Other flags mean no precompiled header.
function(sluice_unoptimized)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -O0 SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# sluice_sources(<variable> [EXCLUDE <regex>...] GLOBS <glob>...): sources below the current folder,
# looked for again at every build.
function(sluice_sources variable)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "EXCLUDE;GLOBS")
  file(GLOB_RECURSE found CONFIGURE_DEPENDS LIST_DIRECTORIES false
       RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" ${arg_GLOBS})
  foreach(pattern IN LISTS arg_EXCLUDE)
    list(FILTER found EXCLUDE REGEX "${pattern}")
  endforeach()
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

# sluice_library(<name> SOURCES ... PUBLIC ... PRIVATE ...): a static library, or, while the folder holds
# headers only, an interface that carries the same dependencies.
function(sluice_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PUBLIC;PRIVATE")
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} sluice_flags)
    sluice_precompile(${name})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${arg_PUBLIC} ${arg_PRIVATE})
  endif()
endfunction()

# sluice_executable(<name> SOURCES ... PRIVATE ...): a program in bin/, or nothing without sources.
function(sluice_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PRIVATE")
  if(arg_SOURCES)
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE ${arg_PRIVATE} sluice_flags)
  endif()
endfunction()
