"use strict";
// The #fragment never reaches a server: it goes along inside return_to, which comes back from the provider.
{
  const next = new URL(location.href);
  const back = next.searchParams.get("return_to") ?? "/";
  const hash = next.hash.replaceAll("\\", "%5C");
  next.searchParams.delete("keep");
  if (!back.includes("#") && back.length + hash.length <= 2000) next.searchParams.set("return_to", back + hash);
  next.hash = "";
  location.replace(next.href);
}
