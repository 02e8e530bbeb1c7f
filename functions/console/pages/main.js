document.title = "Topup";
