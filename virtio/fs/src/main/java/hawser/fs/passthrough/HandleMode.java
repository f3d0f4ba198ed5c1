package hawser.fs.passthrough;

/** Whether files are opened again by their handles, as virtiofsd's {@code --inode-file-handles}. */
public enum HandleMode {
  /** Never: only by the name that they had last. */
  NEVER,
  /** Where the file system has handles, and this process may open them. */
  PREFER,
  /** Always: what has no handle cannot be looked up. */
  MANDATORY
}
