# SPDX-License-Identifier: Apache-2.0
if(TARGET opmux_host AND TARGET opmux_onnx_reader)
  opmux_add_fuzz(fuzz_onnx SOURCES fuzz_onnx.cpp "$<TARGET_OBJECTS:opmux_onnx_reader>"
                 LIBS opmux_host opmux_onnx_proto)
endif()
