/* The form that export-c gives a network called net. */
#ifndef BENCH_EXPORT_NET_H
#define BENCH_EXPORT_NET_H

#define NET_INPUTS 784U
#define NET_OUTPUTS 10U

int net_predict(const float *in, float *out);

#endif
