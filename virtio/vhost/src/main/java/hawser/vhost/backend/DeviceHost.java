package hawser.vhost.backend;

/** What a device may ask of the front-end it is attached to. Safe from any thread. */
public interface DeviceHost {
  /** The configuration space has changed: the driver is told to look at it again. */
  void configChanged();
}
