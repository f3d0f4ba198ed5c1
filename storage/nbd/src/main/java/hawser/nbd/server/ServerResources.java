package hawser.nbd.server;

/** What all connections of a server share. */
record ServerResources(Workers workers, BufferPool buffers, int inFlightMax) {}
