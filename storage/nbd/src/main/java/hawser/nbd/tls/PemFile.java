package hawser.nbd.tls;

import hawser.base.BlockFault;
import hawser.base.Errno;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.pkcs.RSAPrivateKey;
import org.bouncycastle.asn1.sec.ECPrivateKey;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;

/** Certificates and keys in PEM files, as certtool and openssl write them. */
final class PemFile {
  /** No certificate or key file in use is longer; a chain of dozens fits. */
  private static final long BYTES_MAX = 4 << 20;

  private static final ASN1ObjectIdentifier EC_PUBLIC_KEY =
      new ASN1ObjectIdentifier("1.2.840.10045.2.1");
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END \\1-----");

  /** One block: its label and its bytes. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Block(String label, byte[] der) {
    @Override
    public String toString() {
      // The bytes may be a secret.
      return label;
    }
  }

  private final Path file;
  private final String what;

  PemFile(Path file, String what) {
    this.file = file;
    this.what = what;
  }

  private List<Block> blocks() throws BlockFault {
    try {
      if (Files.size(file) > BYTES_MAX) {
        throw fault("it is longer than " + BYTES_MAX + " bytes", null);
      }
      var blocks = new ArrayList<Block>();
      Matcher found =
          BLOCK.matcher(Files.readString(file, java.nio.charset.StandardCharsets.ISO_8859_1));
      while (found.find()) {
        byte[] der = Base64.getMimeDecoder().decode(found.group(2));
        blocks.add(new Block(found.group(1), der));
      }
      return blocks;
    } catch (IOException e) {
      throw fault(
          Files.exists(file) ? String.valueOf(e.getMessage()) : "Error while reading file.", e);
    } catch (IllegalArgumentException e) {
      throw fault("Base64 decoding error.", e);
    }
  }

  private BlockFault fault(String why, @org.jspecify.annotations.Nullable Throwable cause) {
    return new BlockFault(
        Errno.EINVAL, "Cannot load %s '%s': %s".formatted(what, file, why), cause);
  }

  /** Every certificate, in the file's order; at least one. */
  List<X509Certificate> certificates() throws BlockFault {
    var found = new ArrayList<X509Certificate>();
    try {
      var factory = CertificateFactory.getInstance("X.509");
      for (Block block : blocks()) {
        if (block.label().endsWith("CERTIFICATE")) {
          found.add(
              (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.der())));
        }
      }
    } catch (GeneralSecurityException e) {
      throw fault(String.valueOf(e.getMessage()), e);
    }
    if (found.isEmpty()) {
      throw fault("No certificate was found.", null);
    }
    return found;
  }

  /** Every revocation list. */
  List<CRL> revocations() throws BlockFault {
    var found = new ArrayList<CRL>();
    try {
      var factory = CertificateFactory.getInstance("X.509");
      for (Block block : blocks()) {
        if (block.label().equals("X509 CRL")) {
          found.add(factory.generateCRL(new ByteArrayInputStream(block.der())));
        }
      }
      return found;
    } catch (GeneralSecurityException e) {
      throw fault(String.valueOf(e.getMessage()), e);
    }
  }

  /** The private key. */
  PrivateKey privateKey() throws BlockFault {
    for (Block block : blocks()) {
      try {
        switch (block.label()) {
          case "PRIVATE KEY" -> {
            return key(block.der());
          }
          case "RSA PRIVATE KEY" -> {
            return key(rsa(block.der()));
          }
          case "EC PRIVATE KEY" -> {
            return key(ec(block.der()));
          }
          default -> {
            // Parameters and certificates may stand in the same file.
          }
        }
      } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
        throw fault("private key cannot be read: " + e.getMessage(), e);
      }
    }
    throw fault("no unencrypted private key was found", null);
  }

  private static byte[] rsa(byte[] der) throws IOException {
    var algorithm = new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE);
    return new PrivateKeyInfo(algorithm, RSAPrivateKey.getInstance(der)).getEncoded();
  }

  private static byte[] ec(byte[] der) throws IOException {
    ECPrivateKey key = ECPrivateKey.getInstance(der);
    var algorithm = new AlgorithmIdentifier(EC_PUBLIC_KEY, key.getParametersObject());
    return new PrivateKeyInfo(algorithm, key).getEncoded();
  }

  private static PrivateKey key(byte[] pkcs8) throws GeneralSecurityException {
    var spec = new PKCS8EncodedKeySpec(pkcs8);
    InvalidKeySpecException last = null;
    for (String algorithm : new String[] {"RSA", "EC", "EdDSA", "RSASSA-PSS"}) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(spec);
      } catch (InvalidKeySpecException e) {
        last = e;
      }
    }
    throw last == null ? new InvalidKeySpecException("no algorithm") : last;
  }
}
