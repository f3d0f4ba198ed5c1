package hawser.qmp;

import hawser.base.json.Json;

/**
 * Something that happened at the server.
 *
 * @param name which event; names that this version of Hawser does not know are passed on too
 * @param data what belongs to it, with members that may be unknown; empty where it has none
 * @param seconds when, since 1970; -1 where the server does not know
 * @param microseconds of that second; -1 where the server does not know
 */
public record QmpEvent(String name, Json.Obj data, long seconds, long microseconds) {}
