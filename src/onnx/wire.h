/* A look at a protobuf message's bytes before protobuf-c recurses into them. */
#ifndef ONNX_WIRE_H
#define ONNX_WIRE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Messages within messages, as deep as ONNX_DEPTH_MAX. False when the bytes are
 * no message of that type or nest deeper. */
#define ONNX_DEPTH_MAX 32U
bool onnx_wire_is_sound(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t count);

#endif
