package hawser.fs.state;

import hawser.fs.Name;

/** An extended attribute and its value. */
public record SavedAttribute(Name name, Name value) {}
