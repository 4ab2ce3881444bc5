// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace opmux {

// A plugin's file in this process's memory, shared by all that map it. Its Boost.DLL object lives until the
// process ends, and the file with it, unless the last user unmaps it on purpose: drivers leave handlers and
// threads behind that a destructor of ours must not pull the code from under.
class Library {
 public:
  // RTLD_NOW | RTLD_LOCAL. Throws std::exception with the dynamic loader's own words.
  explicit Library(const std::string& path);
  ~Library();  // one user less; stays mapped
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // NULL when there is no such symbol.
  void* symbol(const char* name) const;

  // One user less; the last one unmaps, and learns by false that the code is in memory all the same.
  bool unmap();

 private:
  std::string path_, key_;
  void* handle_ = nullptr;  // NULL after unmap
};

}  // namespace opmux
