// SPDX-License-Identifier: Apache-2.0
#include "vulkan/compiler.hpp"

#include <fmt/format.h>

#include <shaderc/shaderc.h>
#include <memory>
#include <mutex>

#include "gpu/backend.hpp"

namespace opmux::gpu {

std::vector<uint32_t> compile_glsl(const std::string& name, const std::string& text) {
  using Compiler = std::unique_ptr<shaderc_compiler, decltype(&shaderc_compiler_release)>;
  using Options = std::unique_ptr<shaderc_compile_options, decltype(&shaderc_compile_options_release)>;
  using Result = std::unique_ptr<shaderc_compilation_result, decltype(&shaderc_result_release)>;
  const Compiler compiler(shaderc_compiler_initialize(), shaderc_compiler_release);
  const Options options(shaderc_compile_options_initialize(), shaderc_compile_options_release);
  if (!compiler || !options)
    throw DriverError(OPMUX_E_OUT_OF_MEMORY, OPMUX_NATIVE_NONE, 0, "vulkan: no shader compiler");
  shaderc_compile_options_set_target_env(options.get(), shaderc_target_env_vulkan,
                                         shaderc_env_version_vulkan_1_1);
  const Result result(shaderc_compile_into_spv(compiler.get(), text.data(), text.size(),
                                               shaderc_compute_shader, name.c_str(), "main", options.get()),
                      shaderc_result_release);
  if (shaderc_result_get_compilation_status(result.get()) != shaderc_compilation_status_success) {
    const std::string log = shaderc_result_get_error_message(result.get());
    throw DriverError(OPMUX_E_BROKEN_PROMISE, OPMUX_NATIVE_NONE, 0,
                      fmt::format("vulkan: kernel {} does not compile: {}", name, log.substr(0, 300)));
  }
  const auto* words = reinterpret_cast<const uint32_t*>(shaderc_result_get_bytes(result.get()));
  return {words, words + shaderc_result_get_length(result.get()) / 4};
}

}  // namespace opmux::gpu
