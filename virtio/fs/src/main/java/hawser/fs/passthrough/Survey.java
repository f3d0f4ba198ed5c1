package hawser.fs.passthrough;

import java.util.List;

/**
 * What a migration would mean now.
 *
 * @param obstacles what would not survive, in words; empty when all would
 * @param inodes how many inodes travel
 * @param files how many open files and directories
 * @param locks how many locks
 * @param stateBytes bytes of the state without content
 * @param contentBytes bytes of files that travel with their content
 * @param nanos how long it took to find this out, which is about what a guest would wait besides
 *     the time for the bytes
 */
public record Survey(
    List<String> obstacles,
    long inodes,
    long files,
    long locks,
    long stateBytes,
    long contentBytes,
    long nanos) {}
