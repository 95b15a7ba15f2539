/* The order in which nodes can be read: each behind those that make its inputs. */
#ifndef ONNX_ORDER_H
#define ONNX_ORDER_H

#include "onnx/names.h"

/* order[n_node]: the file's order as far as it is one. ADMMNN_CORRUPT where nodes wait for
 * each other. The names must know their producers. */
admmnn_status onnx_order(const Onnx__GraphProto *from, const onnx_names *names, onnx_arena *arena,
                         size_t **order, admmnn_error *err);

#endif
