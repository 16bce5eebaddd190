/* Files by TFTP, from the server and folder that the firmware's PXE client loaded the application
 * from. */
#include "boot/efi/dhcp.h"
#include "boot/efi/loader.h"

#include <string.h>

static struct {
	EFI_PXE_BASE_CODE_PROTOCOL *client; /* NULL: not loaded by PXE */
	struct dhcp_source source;
} pxe;

/* What was answered last decides: the boot server, the proxy, the DHCP server. UEFI 2.10, 24.3. */
static bool find_source(const EFI_PXE_BASE_CODE_MODE *mode)
{
	return (mode->PxeReplyReceived && dhcp_find_source(mode->PxeReply.Raw,
						  sizeof mode->PxeReply.Raw, &pxe.source)) ||
	       (mode->ProxyOfferReceived && dhcp_find_source(mode->ProxyOffer.Raw,
						    sizeof mode->ProxyOffer.Raw, &pxe.source)) ||
	       (mode->DhcpAckReceived &&
		       dhcp_find_source(mode->DhcpAck.Raw, sizeof mode->DhcpAck.Raw, &pxe.source));
}

void pxe_init(const EFI_LOADED_IMAGE *loaded)
{
	EFI_PXE_BASE_CODE_PROTOCOL *client;

	if (!loaded->DeviceHandle || EFI_ERROR(BS->HandleProtocol(loaded->DeviceHandle,
					     &PxeBaseCodeProtocol, (void **)&client)))
		return;
	if (!client->Mode || !client->Mode->Started)
		return;
	if (client->Mode->UsingIpv6) {
		LOADER_SAY(L"loaded over IPv6: no files are looked for on the server");
		return;
	}
	if (!find_source(client->Mode)) {
		LOADER_SAY(L"no DHCP reply names a server: no files are looked for there");
		return;
	}
	pxe.client = client;
}

bool pxe_loaded(void)
{
	return pxe.client;
}

/* One operation of the client's. A refusal by the server's word means that there is no such file.
 */
static EFI_STATUS transfer(
	EFI_PXE_BASE_CODE_TFTP_OPCODE operation, char *path, void *data, uint64_t *bytes)
{
	EFI_IP_ADDRESS server = {0};
	EFI_STATUS status;

	memcpy(server.v4.Addr, pxe.source.server, sizeof pxe.source.server);
	status = pxe.client->Mtftp(pxe.client, operation, data, FALSE, bytes, NULL, &server,
		(UINT8 *)path, NULL, FALSE);
	return status == EFI_TFTP_ERROR ? EFI_NOT_FOUND : status;
}

EFI_STATUS pxe_read(const char *name, struct file *f)
{
	size_t n = strlen(pxe.source.folder);
	char path[DHCP_PATH_MAX + 64];
	EFI_STATUS status;

	memcpy(path, pxe.source.folder, n);
	memcpy(path + n, name, strlen(name) + 1);
	status = transfer(EFI_PXE_BASE_CODE_TFTP_GET_FILE_SIZE, path, NULL, &f->bytes);
	if (EFI_ERROR(status) || f->bytes == 0)
		return status;
	status = files_room(f);
	if (EFI_ERROR(status))
		return status;
	return transfer(EFI_PXE_BASE_CODE_TFTP_READ_FILE, path, f->data, &f->bytes);
}
