/* Files beside the EFI application: in its folder on a file system, or from the server it came
 * from. */
#include "boot/efi/loader.h"

#include <string.h>

#define PATH_MAX_CHARS 256u
#define FILE_BYTES_MAX (1ull << 30)

static struct {
	EFI_FILE_HANDLE root;          /* NULL: not loaded from a file system */
	CHAR16 folder[PATH_MAX_CHARS]; /* ends in a backslash */
	UINTN folder_chars;
} files;

/* The path of the image on its file system stands in the nodes of its device path,
 * UEFI 2.10, 10.3.5.4. */
static UINTN image_path(const EFI_LOADED_IMAGE *loaded, CHAR16 *path)
{
	EFI_DEVICE_PATH *node = loaded->FilePath;
	UINTN n = 0;

	for (; node && !IsDevicePathEnd(node); node = NextDevicePathNode(node)) {
		const uint8_t *text = (const uint8_t *)node + sizeof *node;
		UINTN bytes = (UINTN)DevicePathNodeLength(node);

		if (bytes < sizeof *node)
			break;
		if (DevicePathType(node) != MEDIA_DEVICE_PATH ||
			DevicePathSubType(node) != MEDIA_FILEPATH_DP)
			continue;
		for (bytes -= sizeof *node; bytes >= 2 && n + 1 < PATH_MAX_CHARS;
			bytes -= 2, text += 2) {
			CHAR16 c = (CHAR16)(text[0] | text[1] << 8);

			if (c == 0)
				break;
			path[n++] = c;
		}
	}
	return n;
}

static void find_folder(const EFI_LOADED_IMAGE *loaded)
{
	UINTN n = image_path(loaded, files.folder);

	while (n && files.folder[n - 1] != '\\' && files.folder[n - 1] != '/')
		n--;
	if (n == 0)
		files.folder[n++] = '\\';
	files.folder_chars = n;
}

EFI_STATUS files_init(const EFI_LOADED_IMAGE *loaded)
{
	EFI_FILE_IO_INTERFACE *volume;
	EFI_STATUS status;

	if (loaded->DeviceHandle && !EFI_ERROR(BS->HandleProtocol(loaded->DeviceHandle,
					    &FileSystemProtocol, (void **)&volume))) {
		status = volume->OpenVolume(volume, &files.root);
		if (EFI_ERROR(status)) {
			files.root = NULL;
			LOADER_SAY(L"the file system of this image cannot be opened: %r", status);
		}
		find_folder(loaded);
		return status;
	}
	/* iPXE has both: a file system of what it was told to fetch, and a client that cannot tell
	 * sizes. */
	pxe_init(loaded);
	return EFI_SUCCESS;
}

static EFI_STATUS size_of(EFI_FILE_HANDLE file, uint64_t *bytes)
{
	static EFI_GUID id = EFI_FILE_INFO_ID;
	union {
		EFI_FILE_INFO info;
		uint8_t room[sizeof(EFI_FILE_INFO) + 2 * PATH_MAX_CHARS];
	} u;
	UINTN size = sizeof u;
	EFI_STATUS status = file->GetInfo(file, &id, &size, &u);

	if (!EFI_ERROR(status))
		*bytes = u.info.FileSize;
	return status;
}

EFI_STATUS files_room(struct file *f)
{
	if (f->bytes > FILE_BYTES_MAX)
		return EFI_BAD_BUFFER_SIZE;
	f->data = memory_take(f->bytes, false);
	return f->data ? EFI_SUCCESS : EFI_OUT_OF_RESOURCES;
}

static EFI_STATUS read_whole(EFI_FILE_HANDLE file, struct file *f)
{
	EFI_STATUS status = size_of(file, &f->bytes);
	uint64_t got = 0;

	if (EFI_ERROR(status) || f->bytes == 0)
		return status;
	status = files_room(f);
	if (EFI_ERROR(status))
		return status;
	while (got < f->bytes) {
		UINTN n = f->bytes - got;

		status = file->Read(file, &n, (uint8_t *)f->data + got);
		if (EFI_ERROR(status))
			return status;
		if (n == 0 || n > f->bytes - got)
			return EFI_END_OF_FILE;
		got += n;
	}
	return EFI_SUCCESS;
}

static EFI_STATUS read_from_volume(const char *name, struct file *f)
{
	CHAR16 path[PATH_MAX_CHARS + 64];
	UINTN n = files.folder_chars;
	EFI_FILE_HANDLE file;
	EFI_STATUS status;

	CopyMem(path, files.folder, n * sizeof *path);
	for (; *name; name++)
		path[n++] = (CHAR16)(unsigned char)*name;
	path[n] = 0;
	status = files.root->Open(files.root, &file, path, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(status))
		return status;
	status = read_whole(file, f);
	(void)file->Close(file);
	return status;
}

EFI_STATUS files_read(const char *name, struct file *f)
{
	EFI_STATUS status = EFI_NOT_FOUND;

	*f = (struct file){0};
	/* iPXE has both: what it fetched is on a volume of its own, and it is not asked for more.
	 */
	if (files.root)
		status = read_from_volume(name, f);
	else if (pxe_loaded())
		status = pxe_read(name, f);
	if (status == EFI_NOT_FOUND)
		return EFI_SUCCESS;
	if (EFI_ERROR(status))
		LOADER_SAY(L"%a cannot be read: %r", name, status);
	else if (f->bytes)
		LOADER_SAY(L"%a, %ld bytes", name, f->bytes);
	else
		LOADER_SAY(L"%a is empty and left out", name);
	return status;
}
