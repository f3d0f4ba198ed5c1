package hawser.interop.guest;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * A disk whose boot sector is the whole guest: it reads sector 1 through the BIOS, prints it on the
 * serial port, writes it to sector 2 and ends the machine through the debug-exit device. Enough to
 * see a guest's reads and writes arrive, in two seconds without a kernel.
 */
final class BootDisk {
  /** What the guest prints. */
  static final String GREETING = "hello from the disk\n";

  /** The machine's exit code when every BIOS call succeeded: (0 << 1) | 1. */
  static final int EXIT_CODE_WELL = 1;

  private static final int SECTOR = 512;
  private static final int BYTES = 8 << 20;

  /** The code, 16 bits, loaded at 0x7c00. */
  private static final String CODE =
      "31c08ed88ed0bc007c" // xor ax,ax; mov ds,ax; mov ss,ax; mov sp,0x7c00
          + "b442be397c52cd135a721e" // ah=0x42 (extended read); si=packet 1; int 0x13; jc fail
          + "be008052baf803" // mov si,0x8000; push dx; mov dx,0x3f8 (serial port)
          + "ac84c07403eeebf8" // print: lodsb; test al,al; jz write; out dx,al; jmp print
          + "5ab80043be497ccd13" // write: pop dx; ax=0x4300 (extended write); si=packet 2; int 0x13
          + "720430c0eb02" // jc fail; xor al,al; jmp end
          + "b001" // fail: mov al,1
          + "baf400eef4" // end: mov dx,0xf4 (debug exit); out dx,al; hlt
          + "10000100008000000100000000000000" // packet 1: one sector to 0:0x8000 from sector 1
          + "10000100008000000200000000000000"; // packet 2: one sector from 0:0x8000 to sector 2

  private static final List<String> MACHINE =
      List.of(
          "qemu-system-x86_64",
          "-accel",
          "tcg",
          "-m",
          "128",
          "-display",
          "none",
          "-nodefaults",
          "-serial",
          "stdio",
          "-device",
          "isa-debug-exit,iobase=0xf4,iosize=1");

  private BootDisk() {}

  /** The whole disk, raw. */
  static byte[] bytes() {
    var disk = new byte[BYTES];
    byte[] code = HexFormat.of().parseHex(CODE);
    System.arraycopy(code, 0, disk, 0, code.length);
    disk[SECTOR - 2] = 0x55;
    disk[SECTOR - 1] = (byte) 0xaa;
    byte[] greeting = GREETING.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(greeting, 0, disk, SECTOR, greeting.length);
    return disk;
  }

  /** The same disk after the guest has run. */
  static byte[] bytesAfterwards() {
    byte[] disk = bytes();
    System.arraycopy(disk, SECTOR, disk, 2 * SECTOR, SECTOR);
    return disk;
  }

  /** The machine that boots from a drive. */
  static List<String> machine(String drive) {
    return machine("-drive", drive);
  }

  /** The machine that boots from whatever these arguments say. */
  static List<String> machine(String... disk) {
    return Stream.concat(MACHINE.stream(), Stream.of(disk)).toList();
  }
}
