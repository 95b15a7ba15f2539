#include "onnx/wire.h"

#include "base/bytes.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

typedef struct message {
    const ProtobufCMessageDescriptor *type;
    size_t end;
} message;

/* Steps over one field's value, or, where it is a message, to its first byte. */
static void step(base_reader *in, unsigned wire, bool *into, size_t *end) {
    *into = false;
    switch (wire) {
    case WIRE_VARINT:
        base_read_varint(in);
        break;
    case WIRE_64:
        base_read_bytes(in, 8);
        break;
    case WIRE_32:
        base_read_bytes(in, 4);
        break;
    case WIRE_BYTES: {
        uint64_t length = base_read_varint(in);
        in->failed |= length > in->count - in->at;
        *end = in->at + (size_t)length;
        *into = true;
        break;
    }
    default:
        in->failed = true;
    }
}

static const ProtobufCMessageDescriptor *type_of(const ProtobufCMessageDescriptor *parent,
                                                 uint64_t number) {
    const ProtobufCFieldDescriptor *field =
        number > UINT32_MAX ? NULL
                            : protobuf_c_message_descriptor_get_field(parent, (unsigned)number);
    return field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE ? field->descriptor : NULL;
}

bool onnx_wire_is_sound(const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
                        size_t count) {
    message stack[ONNX_DEPTH_MAX] = {{type, count}};
    unsigned depth = 1;
    base_reader in = {.bytes = bytes, .count = count};
    while (depth > 0 && !in.failed) {
        const message *now = &stack[depth - 1];
        if (in.at >= now->end) {
            if (in.at > now->end)
                return false;
            depth--;
            continue;
        }
        uint64_t tag = base_read_varint(&in);
        bool into;
        size_t end = 0;
        step(&in, tag & 7U, &into, &end);
        if (in.failed || !into)
            continue;
        const ProtobufCMessageDescriptor *inner = type_of(now->type, tag >> 3);
        if (end > now->end || (inner != NULL && depth == ONNX_DEPTH_MAX))
            return false;
        if (inner != NULL)
            stack[depth++] = (message){inner, end};
        else
            base_read_bytes(&in, end - in.at);
    }
    return !in.failed;
}
