/** TLS as NBD uses it: certificates in a folder, or keys shared beforehand. */
@org.jspecify.annotations.NullMarked
package hawser.nbd.tls;
