/**
 * The qcow2 format: reading and writing of disks, creation and measuring.
 *
 * <h2>How a request runs</h2>
 *
 * <p>The mapping (L1 table, slices of L2 tables) lies in memory outside the Java heap, byte for
 * byte as in the file. Two locks surround it.
 *
 * <ul>
 *   <li>The <b>mutex</b> is held by whoever loads or changes metadata: allocations, links, frees,
 *       write-back. File access under it is allowed, waiting for another request is not.
 *   <li>The <b>view</b>, a stamped lock, is write-locked inside the mutex for the few instructions
 *       in which tables in memory change. Lookups read without a lock and validate afterwards.
 * </ul>
 *
 * <p>So a read, or a write of clusters that are allocated and not shared, costs one optimistic
 * lookup and one access to the file, however busy the mutex is. Only a lookup that misses the cache
 * takes the mutex.
 *
 * <p>An allocating write goes in three steps. Under the mutex it reserves its clusters: takes host
 * clusters, raises their refcounts, and registers the guest range as under way; another allocating
 * write, zeroing or discard of the same cluster waits for it. Without the mutex it writes the data
 * and the copied head and tail in one request. Under the mutex again it links the clusters in the
 * L2 slice and wakes those who wait. Everything else runs in parallel.
 *
 * <p>A cluster taken out of the tables may still be in use by requests that looked it up before:
 * its refcount goes down, and it can be allocated again, only when every request of that time has
 * left ({@code DataEpochs}).
 *
 * <h2>Order of writes</h2>
 *
 * <p>A crash may leak clusters and may not lose or alias one. All metadata is written back by one
 * procedure ({@code WriteBack}), in this order: new refcount blocks and changed refcounts together
 * with the guest's data; barrier; refcount table entries if there are new ones; barrier; L2 slices;
 * barrier; L1 entries if there are new ones; barrier. Steps without work fall away, so that a flush
 * after plain allocations costs two barriers. Refcounts are only lowered after the tables that no
 * longer point to a cluster are durable, therefore a freed cluster is never reused too early. With
 * lazy refcounts the first step is put off, under the dirty bit.
 */
@org.jspecify.annotations.NullMarked
package hawser.block.format.qcow2;
