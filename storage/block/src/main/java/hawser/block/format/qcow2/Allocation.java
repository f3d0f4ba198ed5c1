package hawser.block.format.qcow2;

/**
 * One allocating write between its beginning and its link.
 *
 * @param guest first guest byte that the request writes
 * @param bytes how many it writes
 * @param host host offset of the first cluster
 * @param clusters how many
 * @param reuse whether the clusters were waiting for this; then nothing is given back
 * @param fresh whether the clusters were never written and read as zeroes
 * @param range keeps other changes of the same guest clusters waiting
 */
record Allocation(
    long guest,
    long bytes,
    long host,
    int clusters,
    boolean reuse,
    boolean fresh,
    UnderWay.Range range) {}
