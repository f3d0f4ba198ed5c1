package hawser.nbd.tls;

import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.PKIXReason;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Why a handshake failed, in QEMU's words where it has some. */
final class HandshakeWords {
  private HandshakeWords() {}

  /**
   * The words for a failure.
   *
   * @param expected the name that the other side's certificate should have had, if any
   */
  static String of(SSLException failure, @Nullable String expected) {
    Throwable inner = failure;
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String words = words(cause, expected);
      if (words != null) {
        return words;
      }
      inner = cause;
    }
    return "TLS handshake failed: " + inner.getMessage();
  }

  private static @Nullable String words(Throwable cause, @Nullable String expected) {
    return switch (cause) {
      case CertificateExpiredException _ -> "The certificate has expired";
      case CertificateNotYetValidException _ -> "The certificate is not yet activated";
      case CertPathValidatorException e when e.getReason() == BasicReason.REVOKED ->
          "The certificate has been revoked";
      case CertPathValidatorException e when e.getReason() == PKIXReason.NO_TRUST_ANCHOR ->
          "The certificate hasn't got a known issuer";
      case CertPathBuilderException e when e.getCause() == null ->
          "The certificate hasn't got a known issuer";
      // The JDK has no type of its own for a name that does not match.
      case CertificateException e
          when expected != null && String.valueOf(e.getMessage()).startsWith("No ") ->
          "Certificate does not match the hostname " + expected;
      default -> null;
    };
  }
}
